// SPDX-License-Identifier: MIT
using System.Reflection;

namespace Berth.OctopusTests;

/// <summary>
/// octopus-tests pwsh ARGUMENT…          is a real PowerShell
/// octopus-tests run GROUP --root R --berthd B --berth C [NAME]   runs the tests of a group
/// </summary>
public static class Program
{
    private static readonly Dictionary<string, Func<object>> Groups = new()
    {
        ["parser"] = () => new ParserTests(),
        ["templates"] = () => new TemplateTests(),
        ["syntax"] = () => new SyntaxTests(),
        ["powershell"] = () => new StepTests(Language.PowerShell),
        ["bash"] = () => new StepTests(Language.Bash),
        ["transport"] = () => new TransportTests(),
        ["module"] = () => new ModuleTests(),
        ["verify"] = () => new VerifyTests(),
        ["webhook"] = () => new WebhookTests(),
    };

    public static int Main(string[] args)
    {
        if (args is ["pwsh", ..])
        {
            var rest = args[1..];
            return Microsoft.PowerShell.UnmanagedPSEntry.Start(rest, rest.Length);
        }
        if (args is not ["run", var group, "--root", var root, "--berthd", var berthd, "--berth", var berth, ..] || !Groups.TryGetValue(group, out var make))
        {
            Console.Error.WriteLine($"usage: octopus-tests run {string.Join('|', Groups.Keys)} --root DIR --berthd FILE --berth FILE [NAME]");
            return 2;
        }
        (Places.Root, Places.Berthd, Places.Berth) = (Path.GetFullPath(root), berthd, berth);
        return Run(group, make, args.Length > 8 ? args[8] : null);
    }

    private static int Run(string group, Func<object> make, string? only)
    {
        int passed = 0, failed = 0, leftOut = 0;
        foreach (var test in make().GetType().GetMethods().Where(m => m.GetCustomAttribute<TestAttribute>() != null))
        {
            if (only != null && !test.Name.Contains(only, StringComparison.Ordinal))
            {
                continue;
            }
            var suite = make();
            try
            {
                test.Invoke(suite, null);
                passed++;
                Console.WriteLine($"ok {group}.{test.Name}");
            }
            catch (TargetInvocationException e) when (e.InnerException is TestLeftOut reason)
            {
                leftOut++;
                Console.WriteLine($"left out {group}.{test.Name}: {reason.Message}");
            }
            catch (TargetInvocationException e)
            {
                failed++;
                var text = e.InnerException is CheckFailed f ? f.Message : e.InnerException!.ToString();
                Console.WriteLine($"FAILED {group}.{test.Name}: {text}\n{(e.InnerException as CheckFailed)?.StackTrace}");
            }
            finally
            {
                (suite as IDisposable)?.Dispose();
            }
        }
        Console.WriteLine($"{group}: {passed} passed, {failed} failed, {leftOut} left out");
        return failed == 0 && passed > 0 ? 0 : 1;
    }
}
