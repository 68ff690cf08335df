// SPDX-License-Identifier: MIT
using System.Diagnostics;
using System.Text;

namespace Berth.OctopusTests;

/// <summary>What a step left behind, as Octopus sees it.</summary>
public sealed class StepResult(int exitCode, byte[] output, string errors)
{
    public int ExitCode { get; } = exitCode;
    public byte[] Bytes { get; } = output;
    public string Output { get; } = Encoding.UTF8.GetString(output);
    public string Errors { get; } = errors;
    public List<ServiceMessage> Messages { get; } = ServiceMessageParser.ParseAll(Encoding.UTF8.GetString(output));

    /// <summary>The output variables; a blank name sets none.</summary>
    public Dictionary<string, string> Variables
    {
        get
        {
            var variables = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (var message in Messages.Where(m => m.Name == "setVariable"))
            {
                if (message.Values.TryGetValue("name", out var name) && !string.IsNullOrWhiteSpace(name))
                {
                    variables[name] = message.Values.GetValueOrDefault("value", "");
                }
            }
            return variables;
        }
    }

    public int Port => int.Parse(Variables["Port"]);

    /// <summary>What Octopus shows as the reason of a failed step.</summary>
    public string Reason => Messages.LastOrDefault(m => m.Name == "resultMessage")?.Values["message"] ?? "";

    /// <summary>The lines of one level: default, highlight, warning, error.</summary>
    public string At(string wanted)
    {
        var level = "default";
        var lines = new List<string>();
        var parser = new ServiceMessageParser();
        foreach (var line in Output.Split('\n').Select(l => l.TrimEnd('\r')))
        {
            int before = parser.Messages.Count;
            parser.ParseLine(line);
            if (parser.Messages.Count == before)
            {
                if (level == wanted)
                {
                    lines.Add(line);
                }
            }
            else if (parser.Messages[^1].Name.StartsWith("stdout-", StringComparison.Ordinal))
            {
                level = parser.Messages[^1].Name["stdout-".Length..];
            }
        }
        return string.Join('\n', lines);
    }

    public string All => $"exit {ExitCode}\n--- output\n{Output}\n--- errors\n{Errors}";

    public StepResult Succeeded()
    {
        Check.True(ExitCode == 0, $"the step failed: {All}");
        Check.Equal("", Errors, "a step must leave standard error empty: Octopus can fail it for that");
        return this;
    }

    /// <summary>A failure has its sentence in the log and as the step's result, and no output variable.</summary>
    public StepResult Failed()
    {
        Check.True(ExitCode != 0, $"the step did not fail: {All}");
        Check.True(Reason != "", $"no reason: {All}");
        Check.Equal("", Errors, "the reason goes to standard output");
        Check.True(At("error").Trim() != "", $"the log has no error: {All}");
        return this;
    }
}

/// <summary>Runs a template's script as Octopus does: in a process of its own, behind a bootstrap script.</summary>
public sealed class OctopusStep(Language language, string step)
{
    /// <summary>The ids and names of a deployment.</summary>
    public static readonly IReadOnlyDictionary<string, string> Deployment = new Dictionary<string, string>
    {
        ["Octopus.Space.Id"] = "Spaces-1",
        ["Octopus.Space.Name"] = "Default",
        ["Octopus.Project.Id"] = "Projects-7",
        ["Octopus.Project.Name"] = "Shop",
        ["Octopus.Environment.Id"] = "Environments-3",
        ["Octopus.Environment.Name"] = "Größe",
        ["Octopus.Release.Channel.Id"] = "Channels-2",
        ["Octopus.Release.Channel.Name"] = "Main",
        ["Octopus.Release.Number"] = "1.2.3",
        ["Octopus.Deployment.Id"] = "Deployments-9",
        ["Octopus.Machine.Id"] = "Machines-4",
        ["Octopus.Machine.Name"] = "Web01",
        ["Octopus.Step.Name"] = "Acquire port",
    };

    private readonly Template _template = Template.Find(step, language);
    private readonly Dictionary<string, string> _variables = new(Deployment, StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _given = [];
    private readonly Dictionary<string, string> _environment = [];
    private readonly List<string> _without = [];

    /// <summary>Runs the step as another user, who has no rights.</summary>
    public bool AsNobody { get; init; }

    /// <summary>A parameter of the template, without its prefix.</summary>
    public OctopusStep With(string name, string value)
    {
        var full = _template.Parameters.Select(p => p.GetProperty("Name").GetString()!).Single(p => p.EndsWith("." + name, StringComparison.Ordinal));
        _given[full] = value;
        return this;
    }

    public OctopusStep Variable(string name, string value)
    {
        _variables[name] = value;
        return this;
    }

    public OctopusStep WithoutVariable(string name)
    {
        _without.Add(name);
        return this;
    }

    public OctopusStep Environment(string name, string value)
    {
        _environment[name] = value;
        return this;
    }

    public OctopusStep On(Daemon daemon)
    {
        Variable("Octopus.Machine.Hostname", daemon.Host);
        return With("Endpoint", daemon.Endpoint);
    }

    /// <param name="artifacts">is given the working folder before it is removed</param>
    /// <param name="onLine">is given each line of output as it comes</param>
    public StepResult Run(Action<string>? artifacts = null, Action<string>? onLine = null)
    {
        using var folder = new TempFolder();
        if (AsNobody)
        {
            File.SetUnixFileMode(folder.Path, (UnixFileMode)Convert.ToInt32("777", 8));
        }
        var variables = folder.File_("variables");
        File.WriteAllLines(variables, Resolve().Select(v => $"{Encode(v.Key)}${Encode(v.Value)}"));
        var script = folder.File_(language == Language.Bash ? "script.sh" : "script.ps1");
        // Octopus writes PowerShell scripts with a byte order mark
        File.WriteAllText(script, _template.Body, new UTF8Encoding(language == Language.PowerShell));
        var start = new ProcessStartInfo
        {
            WorkingDirectory = folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        var words = Words(variables, script, folder.Path);
        start.FileName = words[0];
        words[1..].ForEach(start.ArgumentList.Add);
        start.Environment.Remove("BERTH_ENDPOINT");
        foreach (var (name, value) in _environment)
        {
            start.Environment[name] = value;
        }
        if (language == Language.Bash)
        {
            start.Environment.TryAdd("LANG", "C.UTF-8");
            if (!_environment.ContainsKey("PATH"))
            {
                start.Environment["PATH"] = Path.GetDirectoryName(Places.Berth) + ":" + start.Environment["PATH"];
            }
        }
        var result = Finish(start, onLine);
        artifacts?.Invoke(folder.Path);
        return result;
    }

    private List<string> Words(string variables, string script, string folder)
    {
        List<string> words = AsNobody ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", $"HOME={folder}"] : [];
        var bootstrap = Path.Combine(AppContext.BaseDirectory, language == Language.Bash ? "bootstrap.sh" : "bootstrap.ps1");
        return language == Language.Bash
            ? [.. words, "bash", bootstrap, variables, script]
            : [.. words, Places.Dotnet, Places.Own, "pwsh", "-NoProfile", "-NoLogo", "-NonInteractive", "-ExecutionPolicy", "Unrestricted", "-Command",
                $"$ErrorActionPreference = 'Stop'; . {{. '{bootstrap}' -VariablesPath '{variables}' -ScriptPath '{script}'; if ((Test-Path variable:global:LastExitCode)) {{ exit $LastExitCode }} }}"];
    }

    private static StepResult Finish(ProcessStartInfo start, Action<string>? onLine)
    {
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = new MemoryStream();
        var line = new MemoryStream();
        int c;
        while ((c = process.StandardOutput.BaseStream.ReadByte()) >= 0)
        {
            output.WriteByte((byte)c);
            line.WriteByte((byte)c);
            if (c == '\n')
            {
                onLine?.Invoke(Encoding.UTF8.GetString(line.ToArray()));
                line.SetLength(0);
            }
        }
        process.WaitForExit();
        return new StepResult(process.ExitCode, output.ToArray(), errors.Result);
    }

    /// <summary>The variables with the template's parameters, "#{Name}" replaced where Name is known.</summary>
    private Dictionary<string, string> Resolve()
    {
        var all = new Dictionary<string, string>(_variables, StringComparer.OrdinalIgnoreCase);
        _without.ForEach(name => all.Remove(name));
        foreach (var parameter in _template.Parameters)
        {
            var name = parameter.GetProperty("Name").GetString()!;
            var value = _given.TryGetValue(name, out var given) ? given : parameter.GetProperty("DefaultValue").GetString() ?? "";
            foreach (var (known, text) in all)
            {
                value = value.Replace($"#{{{known}}}", text, StringComparison.OrdinalIgnoreCase);
            }
            all[name] = value;
        }
        return all;
    }

    public static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
