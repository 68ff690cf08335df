// SPDX-License-Identifier: MIT
using System.Text;
using System.Text.Json.Nodes;

namespace Berth.OctopusTests;

/// <summary>scripts/windows-verify.ps1, with what only Windows has played: cmdlets, programs, the pipe's descriptor.</summary>
public sealed class VerifyTests
{
    private const string Sid = "S-1-5-80-3406181939-265939743-1672729043-1222117948-3286459357";

    /// <summary>A Windows on which all is as documented.</summary>
    private const string Good = $$"""
        $env:ProgramData = '/nowhere'
        $env:SystemRoot = $root
        function Test-BerthElevated { $true }
        function Get-BerthPipeSddl($Pipe) { 'O:{{Sid}}D:P(A;;FA;;;SY)(A;;0x1f01ff;;;BA)(A;;0x1f01ff;;;{{Sid}})(A;;RC;;;OW)(A;;0x12019b;;;BU)(A;;0x12019b;;;S-1-5-21-7-8-9-1001)' }
        function netsh.exe {
            'Protocol tcp Port Exclusion Ranges', '', 'Start Port    End Port', '----------    --------'
            if ("$args" -match 'ipv4') { '      5985        5985', '     50000       50059     *' } else { '     50000       50059     *' }
            '', '* - Administered port exclusions.'
        }
        function sc.exe { 'NAME: Berth', 'SERVICE SID: {{Sid}}', 'STATUS: Active' }
        function logman.exe { $global:LASTEXITCODE = 0; '', 'Data Collector Set   Type   Status', 'EventLog-System   Trace   Running', 'Berth-TCPIP       Trace   Running', 'Berth-Hints       Trace   Running' }
        function Get-Service { New-Object PSObject -Property @{ Status = 'Running' } }
        function Get-NetTCPConnection { New-Object PSObject -Property @{ LocalPort = 80; OwningProcess = 4 }; New-Object PSObject -Property @{ LocalPort = 80; OwningProcess = 4 }; New-Object PSObject -Property @{ LocalPort = 3389; OwningProcess = 900 } }
        function Get-Acl { New-Object PSObject -Property @{ Sddl = 'O:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;{{Sid}})' } }
        function Get-LocalGroupMember { New-Object PSObject -Property @{ SID = 'S-1-5-20' }; New-Object PSObject -Property @{ SID = '{{Sid}}' } }
        function Get-ItemProperty {
            $actions = [byte[]](@(0x80, 0x51, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 20, 0, 0, 0) + @(1, 0, 0, 0, 0xe8, 3, 0, 0) + @(1, 0, 0, 0, 0x88, 0x13, 0, 0) + @(1, 0, 0, 0, 0x60, 0xea, 0, 0))
            New-Object PSObject -Property @{
                ObjectName = 'NT SERVICE\Berth'; ServiceSidType = 1; RequiredPrivileges = @('SeImpersonatePrivilege', 'SeChangeNotifyPrivilege')
                FailureActions = $actions; FailureActionsOnNonCrashFailures = 1; Start = 2; DelayedAutostart = 1; EventMessageFile = 'C:\Program Files\Berth\berthd.exe'
            }
        }
        function Get-WinEvent { foreach ($id in 100, 101, 220, 220) { New-Object PSObject -Property @{ Id = $id; Message = 'text' } } }

        """;

    /// <summary>One on which everything is otherwise.</summary>
    private const string Bad = $$"""
        $env:ProgramData = '/nowhere'
        $env:SystemRoot = $root
        function Get-BerthPipeSddl($Pipe) { 'O:S-1-5-21-7-8-9-1001D:(A;;FA;;;SY)(A;;FA;;;WD)' }
        function netsh.exe { '     50000       50059     *', '     60000       60001' }
        function sc.exe { 'SERVICE SID: S-1-5-80-1-2-3-4-5' }
        function logman.exe { $global:LASTEXITCODE = 0; 'Berth-Old       Trace   Running' }
        function Get-Service { New-Object PSObject -Property @{ Status = 'Stopped' } }
        function Get-NetTCPConnection { New-Object PSObject -Property @{ LocalPort = 80; OwningProcess = 4711 }; New-Object PSObject -Property @{ LocalPort = 4444; OwningProcess = 5 } }
        function Get-Acl { New-Object PSObject -Property @{ Sddl = 'O:BAG:BAD:(A;OICI;FA;;;BU)' } }
        function Get-LocalGroupMember { New-Object PSObject -Property @{ SID = 'S-1-5-20' } }
        function Get-ItemProperty {
            New-Object PSObject -Property @{
                ObjectName = 'LocalSystem'; ServiceSidType = 0; RequiredPrivileges = $null
                FailureActions = [byte[]](@(0) * 20); FailureActionsOnNonCrashFailures = 0; Start = 3; DelayedAutostart = 0; EventMessageFile = 'C:\x.dll'
            }
        }
        function Get-WinEvent { New-Object PSObject -Property @{ Id = 999; Message = '' } }
        function Start-Sleep { }

        """;

    /// <summary>One that tells nothing, and names accounts while it refuses.</summary>
    private static readonly string Blind = string.Concat(
        new[] { "Get-BerthPipeSddl", "netsh.exe", "sc.exe", "logman.exe", "Get-Service", "Get-NetTCPConnection", "Get-Acl", "Get-LocalGroupMember", "Get-ItemProperty", "Get-WinEvent" }
        .Select(name => $"function {name} {{ throw 'Access is denied to S-1-5-21-7-8-9-1001' }}\n")) + "$env:ProgramData = '/nowhere'; $env:SystemRoot = $root\n";

    private static string Status(string state, string mode, long lost, long lag, bool hints) => $$"""
        {"version":"0.1.0","sources":[{"source":"iis","name":"C:\\secret-place\\applicationHost.config","state":"{{state}}","age_ms":5,"claims":3,"warnings":[]},
        {"source":"tcp","name":"TCP table","state":"{{state}}","age_ms":5,"claims":3,"warnings":[],"events":{"mode":"{{mode}}","total":9,"per_second":1,"lost":{{lost}},"lag_us":{{lag}}} }],
        "hints":[{"facility":"http.sys events","works":{{(hints ? "true" : "false")}},"reason":"{{(hints ? "" : "denied")}}","total":7},
        {"facility":"WMI IIS sites","works":{{(hints ? "true" : "false")}},"reason":"denied","total":0}]}
        """;

    private static FakeDaemon Fake(string status, string listener) => new((line, _) =>
    {
        var request = JsonNode.Parse(line)!;
        var method = request["method"]!.GetValue<string>();
        var excluded = string.Join(',', Enumerable.Range(50000, 60).Select(p => $"{{\"port\":{p},\"state\":\"excluded\",\"claims\":[]}}"));
        var result = (method, request["params"]?["source"]?.GetValue<string>()) switch
        {
            ("hello", _) => """{"protocol":1,"version":"0.1.0","instance":"a","host":"h","platform":"windows"}""",
            ("status", _) => status.Replace("\n", "", StringComparison.Ordinal),
            ("ports", "excluded") => $"{{\"revision\":1,\"ports\":[{excluded}]}}",
            ("ports", "httpsys") => """{"revision":1,"ports":[{"port":5985,"state":"httpsys","claims":[]}]}""",
            ("ports", "tcp") => $"{{\"revision\":1,\"ports\":[{listener},{{\"port\":3389,\"state\":\"tcp\",\"claims\":[{{\"source\":\"tcp\",\"kind\":\"listener\",\"pid\":900}},{{\"source\":\"tcp\",\"kind\":\"connection\"}}]}}]}}",
            _ => "{}",
        };
        return Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"id\":{request["id"]!.ToJsonString()},\"result\":{result}}}\n");
    });

    private const string Http = """{"port":80,"state":"tcp","claims":[{"source":"tcp","kind":"listener","pid":4}]}""";

    /// <summary>What a run left behind.</summary>
    private sealed record Report(int ExitCode, string Text, JsonNode Json)
    {
        public string Of(string name) => Json["checks"]!.AsArray().Where(c => c!["name"]!.GetValue<string>() == name).Select(c => c!["result"]!.GetValue<string>()).FirstOrDefault() ?? "(none)";
        public JsonNode Values(string name) => Json["checks"]!.AsArray().Single(c => c!["name"]!.GetValue<string>() == name)!["values"]!;
        public string[] With(string result) => [.. Json["checks"]!.AsArray().Where(c => c!["result"]!.GetValue<string>() == result).Select(c => c!["name"]!.GetValue<string>()).Order()];
    }

    private static Report Run(string world, string endpoint, string more = "", string out_ = ".", bool relative = false)
    {
        using var folder = new TempFolder();
        var reports = Path.GetFullPath(Path.Combine(folder.Path, out_));
        Directory.CreateDirectory(folder.File_("System32/inetsrv/config"));
        var script = Path.Combine(Places.Root, "scripts", "windows-verify.ps1");
        var output = PowerShellProcess.Run($"$root = '{folder.Path}'\n{world}\n& '{script}' -Berth '{Places.Berth}' -Endpoint '{endpoint}' -Out '{(relative ? out_ : reports)}' {more}\n\"exit $LASTEXITCODE\"");
        var text = File.ReadAllText(Directory.GetFiles(reports, "berth-verify-*.txt").Single());
        var json = JsonNode.Parse(File.ReadAllText(Directory.GetFiles(reports, "berth-verify-*.json").Single()))!;
        foreach (var check in json["checks"]!.AsArray())
        {
            Check.Contains(check!["name"]!.GetValue<string>(), text);
            Check.Contains(check["name"]!.GetValue<string>(), output);
        }
        return new Report(int.Parse(output.Split("exit ")[^1]), text, json);
    }

    private static readonly string[] Everything =
    [
        "berth.program", "daemon.answers", "events.ids", "events.lag", "events.lost", "events.mode", "events.sessions", "events.source", "hints.WMI_IIS_sites", "hints.http_sys_events",
        "pipe.dacl", "pipe.owner", "ports.excluded", "ports.listeners", "ports.processes", "rights.iis", "rights.log_users", "rights.state",
        "service.account", "service.privileges", "service.recovery", "service.running", "service.sid", "service.sid_value", "service.start", "source.iis", "source.tcp",
    ];

    [Test]
    public void all_as_documented__passes()
    {
        using var fake = Fake(Status("ready", "full", 0, 90000, true), Http);
        var report = Run(Good, fake.Endpoint);
        Check.Equal("", string.Join(' ', report.With("FAIL").Concat(report.With("UNKNOWN"))), report.Text);
        Check.Equal(string.Join(' ', Everything.Order()), string.Join(' ', report.With("PASS")));
        Check.Equal(0, report.ExitCode);
        Check.Equal(Everything.Length, report.Json["summary"]!["pass"]!.GetValue<int>());
        Check.Equal(2, report.Values("pipe.dacl")["clients"]!.GetValue<int>());
        Check.Equal("1000 5000 60000", string.Join(' ', report.Values("service.recovery")["delays_ms"]!.AsArray().Select(d => d!.GetValue<int>())));
        Check.True(report.Json["facts"]!["elevated"]!.GetValue<bool>(), "the facts are there");
        Check.Contains($"{Everything.Length} passed, 0 failed, 0 unknown", report.Text);
    }

    [Test]
    public void all_otherwise__fails_and_says_what()
    {
        using var fake = Fake(Status("stale", "none", 3, 5000000, false), Http);
        var report = Run(Bad, fake.Endpoint);
        Check.Equal(string.Join(' ', Everything.Except(["daemon.answers", "berth.program", "hints.WMI_IIS_sites"]).Order()), string.Join(' ', report.With("FAIL")), report.Text);
        Check.Equal("UNKNOWN", report.Of("hints.WMI_IIS_sites")); // takes more rights than the service has
        Check.Equal(1, report.ExitCode);
        Check.Contains("Berth lacks 60000 60001", report.Text);
        Check.Contains("only one of the two has 3389 4444", report.Text);
        Check.Contains("another process on 80", report.Text);
        Check.Contains("left over: Berth-Old", report.Text);
        Check.Contains("not documented: 999", report.Text);
        Check.Contains("not as documented: A FA WD", report.Text);
    }

    [Test]
    public void nothing_told__is_unknown_and_names_nobody()
    {
        using var fake = Fake(Status("ready", "full", 0, 0, true), Http);
        var report = Run(Blind, fake.Endpoint);
        Check.Equal("", string.Join(' ', report.With("FAIL")), report.Text);
        Check.Equal("events.ids events.sessions pipe.dacl ports.excluded ports.listeners rights.iis rights.log_users rights.state service.running service.settings service.sid_value",
            string.Join(' ', report.With("UNKNOWN")));
        Check.Equal(0, report.ExitCode);
        foreach (var text in new[] { report.Text, report.Json.ToJsonString() })
        {
            Check.Contains("S-1-5-21-*", text);
            Check.Lacks("S-1-5-21-7", text);
            Check.Lacks("secret-place", text);
        }
    }

    [Test]
    public void no_daemon__is_exit_2_and_the_rest_is_looked_at()
    {
        var report = Run(Good, "/nowhere/berth.sock");
        Check.Equal(2, report.ExitCode);
        Check.Equal("berth.program daemon.answers", string.Join(' ', report.With("FAIL")));
        Check.Equal("PASS", report.Of("service.recovery"));
    }

    [Test]
    public void out__folder_is_missing__is_made()
    {
        using var fake = Fake(Status("ready", "full", 0, 90000, true), Http);
        var report = Run(Good, fake.Endpoint, out_: "new/er");
        Check.Equal(0, report.ExitCode);
    }

    [Test]
    public void out__relative__is_below_powershells_current_folder()
    {
        using var fake = Fake(Status("ready", "full", 0, 90000, true), Http);
        var report = Run(Good + "Set-Location -LiteralPath $root\n", fake.Endpoint, out_: "below", relative: true);
        Check.Equal(0, report.ExitCode);
    }

    [Test]
    public void out__folder_cannot_be_made__ends_before_anything_is_looked_at()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File_("file"), "");
        var script = Path.Combine(Places.Root, "scripts", "windows-verify.ps1");
        var output = PowerShellProcess.Run($"& '{script}' -Berth '{Places.Berth}' -Endpoint '/nowhere/berth.sock' -Out '{folder.File_("file/below")}'\n\"exit $LASTEXITCODE\"");
        Check.Contains($"The report cannot be written to the folder '{folder.File_("file/below")}'", output);
        Check.Contains("exit 2", output);
        Check.Lacks("daemon.answers", output);
    }

    /// <summary>What the script holds a server to is what the documentation says.</summary>
    [Test]
    public void script__knows_what_the_documentation_says()
    {
        var script = File.ReadAllText(Path.Combine(Places.Root, "scripts", "windows-verify.ps1"));
        var page = File.ReadAllLines(Path.Combine(Places.Root, "docs", "windows.md"));
        var ids = page.Select(l => System.Text.RegularExpressions.Regex.Match(l, @"^\| (\d{3}) \|")).Where(m => m.Success).Select(m => m.Groups[1].Value);
        Check.Contains($"$event_ids = @({string.Join(", ", ids)})", script);
        Check.True(page.Any(l => l.Contains(Sid, StringComparison.Ordinal)) && script.Contains(Sid, StringComparison.Ordinal), "the service's SID");
        Check.True(page.Any(l => l.Contains("after 1 s, 5 s, then every 60 s", StringComparison.Ordinal)), "the delays of recovery");
        // its help names each check that it makes
        foreach (var name in Everything.Where(n => n.StartsWith("bind", StringComparison.Ordinal) || n.StartsWith("ports", StringComparison.Ordinal) || n.StartsWith("pipe", StringComparison.Ordinal)))
        {
            Check.True(page.Any(l => l.Contains($"`{name}`", StringComparison.Ordinal)), $"docs/windows.md names {name}");
        }
    }

    /// <summary>The real daemon: how soon it is does not matter here.</summary>
    [Test]
    public void bind__real_listeners__are_seen_and_go_again()
    {
        using var daemon = new Daemon(more: "<tcp poll=\"100ms\"/>");
        var report = Run(Good, daemon.Endpoint, "-Bind -Rounds 2");
        foreach (var name in new[] { "bind.listener_seen", "bind.listener_gone" })
        {
            Check.Equal(0, report.Values(name)["never"]!.GetValue<int>(), report.Text);
            Check.Equal(2, report.Values(name)["ms"]!.AsArray().Count);
        }
        Check.True(report.Of("bind.bound_only") != "(none)", report.Text);
        Check.Equal("PASS", report.Of("daemon.answers"));
        Check.Equal("PASS", report.Of("berth.program"));
        Check.Equal(0, daemon.LeasedPorts().Length);
        Check.Eventually(() => daemon.State(daemon.First) == "free", "nothing is left open");
    }

    [Test]
    public void without_bind__nothing_is_opened()
    {
        using var daemon = new Daemon();
        var report = Run(Good, daemon.Endpoint);
        Check.Equal("(none)", report.Of("bind.listener_seen"));
        Check.Equal("(none)", report.Of("bind.bound_only"));
    }
}
