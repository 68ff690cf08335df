// SPDX-License-Identifier: MIT
using System.Diagnostics;
using System.Text;

namespace Berth.OctopusTests;

/// <summary>Runs a script in a PowerShell process of its own.</summary>
public static class PowerShellProcess
{
    /// <returns>what it wrote, without blanks at the ends; fails when it wrote errors</returns>
    public static string Run(string script)
    {
        using var folder = new TempFolder();
        var path = folder.File_("script.ps1");
        File.WriteAllText(path, "$ErrorActionPreference = 'Stop'\n" + script, new UTF8Encoding(true));
        var start = new ProcessStartInfo(Places.Dotnet, [Places.Own, "pwsh", "-NoProfile", "-NoLogo", "-NonInteractive", "-ExecutionPolicy", "Unrestricted", "-File", path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment.Remove("BERTH_ENDPOINT");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Check.True(errors.Result == "" && process.ExitCode == 0, $"exit {process.ExitCode}\n{output}\n{errors.Result}");
        return output.Replace("\r", "").Trim();
    }
}
