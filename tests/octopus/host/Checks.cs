// SPDX-License-Identifier: MIT
namespace Berth.OctopusTests;

/// <summary>Marks a test; it belongs to the group of its class.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TestAttribute : Attribute;

/// <summary>A test found its condition unmet.</summary>
public sealed class CheckFailed(string message) : Exception(message);

/// <summary>A test cannot run here, and says why.</summary>
public sealed class TestLeftOut(string reason) : Exception(reason);

public static class Check
{
    public static void True(bool condition, string what)
    {
        if (!condition)
        {
            throw new CheckFailed(what);
        }
    }

    public static void Equal<T>(T expected, T actual, string what = "")
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            throw new CheckFailed($"{what}\n  expected: {expected}\n  actual:   {actual}");
        }
    }

    public static void Contains(string part, string whole)
    {
        if (!whole.Contains(part, StringComparison.Ordinal))
        {
            throw new CheckFailed($"missing: {part}\n  in: {whole}");
        }
    }

    public static void Lacks(string part, string whole)
    {
        if (whole.Contains(part, StringComparison.Ordinal))
        {
            throw new CheckFailed($"not wanted: {part}\n  in: {whole}");
        }
    }

    /// <summary>Asks until the condition holds; fails after a limit that is for broken programs only.</summary>
    public static void Eventually(Func<bool> condition, string what)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(60))
            {
                throw new CheckFailed($"after 60 s still not: {what}");
            }
            Thread.Sleep(5);
        }
    }
}
