// SPDX-License-Identifier: MIT
namespace Berth.OctopusTests;

/// <summary>The PowerShell module Berth.</summary>
public sealed class ModuleTests
{
    private static string Run(string script) => PowerShellProcess.Run($"Import-Module '{Places.Module}'\n{script}");

    private static string Run(Daemon daemon, string script) => Run($"$env:BERTH_ENDPOINT = '{daemon.Endpoint}'\n{script}");

    [Test]
    public void manifest__is_whole_and_exports_what_it_says()
    {
        Check.Equal("Berth 0.1.0 5.1 11 True", PowerShellProcess.Run(
            $"$m = Test-ModuleManifest '{Places.Module}'; Import-Module '{Places.Module}'; " +
            "$names = (Get-Command -Module Berth).Name | Sort-Object; " +
            "\"$($m.Name) $($m.Version) $($m.PowerShellVersion) $($names.Count) $(-not (Compare-Object $names ($m.ExportedFunctions.Keys | Sort-Object)))\""));
        Check.Equal(File.ReadAllText(Path.Combine(Places.Root, "CMakeLists.txt")).Split("VERSION ")[2].Split(' ')[0],
            PowerShellProcess.Run($"(Test-ModuleManifest '{Places.Module}').Version.ToString()"), "the version is the project's");
    }

    [Test]
    public void help__of_each_command__is_whole() => Check.Equal("", Run("""
        $common = [System.Management.Automation.PSCmdlet]::CommonParameters + [System.Management.Automation.PSCmdlet]::OptionalCommonParameters
        foreach ($command in Get-Command -Module Berth) {
            $help = Get-Help $command.Name -Full
            if ($help.Synopsis.Trim() -match "^$($command.Name)" -or $help.Synopsis.Trim().Length -lt 15) { "$($command.Name): no synopsis" }
            if (-not $help.examples) { "$($command.Name): no example" }
            foreach ($name in $command.Parameters.Keys | Where-Object { $common -notcontains $_ }) {
                $parameter = $help.parameters.parameter | Where-Object name -eq $name
                if (-not $parameter.description) { "$($command.Name) -${name}: not described" }
            }
        }
        """));

    [Test]
    public void verbs__are_approved() => Check.Equal("", Run("Get-Command -Module Berth | Where-Object { (Get-Verb).Verb -notcontains $_.Verb } | ForEach-Object Name"));

    [Test]
    public void lease__taken_listed_renewed_released()
    {
        using var daemon = new Daemon();
        Check.Equal($"{daemon.First} Berth.Lease False DateTime Utc|again True|note|active-or-pending|{daemon.First}|0", Run(daemon, """
            $a = New-BerthLease -Key shop/test -Site Shop -Ttl 1h -Meta @{ some_note = 'note' } -Protocol http
            $b = New-BerthLease shop/test
            $l = Get-BerthLease -Key shop/test
            $r = $l | Update-BerthLease -Ttl 2h
            if ($r.ExpiresAt -le $a.ExpiresAt) { 'not renewed' }
            $freed = Get-BerthLease shop/test | Remove-BerthLease
            $state = if (@('pending', 'active') -contains $l.State) { 'active-or-pending' }
            "$($a.Port) $($a.PSObject.TypeNames[0]) $($a.Reused) $($a.ExpiresAt.GetType().Name) $($a.ExpiresAt.Kind)|again $($b.Reused)|$($l.Meta.some_note)|$state|$freed|$(@(Get-BerthLease).Count)"
            """));
    }

    [Test]
    public void what_if__changes_nothing()
    {
        using var daemon = new Daemon();
        var text = Run(daemon, """
            New-BerthLease -Key a -WhatIf
            'b', 'c' | New-BerthLease -WhatIf
            $lease = New-BerthLease d
            $lease | Remove-BerthLease -WhatIf
            $lease | Update-BerthLease -Ttl 1s -WhatIf
            """);
        Check.Equal(5, text.Split("What if:").Length - 1);
        Check.Equal(1, daemon.LeasedPorts().Length);
    }

    [Test]
    public void lease__all_its_parameters__reach_the_daemon()
    {
        using var daemon = new Daemon();
        Check.Equal($"{daemon.First + 5} {daemon.First + 6} g process:nginx", Run(daemon,
            $"$l = New-BerthLease k -Generation g -Keep 1 -Holder process:nginx -Pool default -Range {daemon.First + 5}, {daemon.First + 9} -Count 2 -Contiguous\n" +
            "\"$($l.Ports) $($l.Generation) $((Get-BerthLease k).Holder)\""));
        Check.Equal($"{daemon.First + 20} {daemon.First + 21}", Run(daemon,
            $"\"$((New-BerthLease x -Port {daemon.First + 20}).Port) $((New-BerthLease y -Prefer {daemon.First + 21}).Port)\""));
    }

    [Test]
    public void ports__listed_and_asked_for()
    {
        using var daemon = new Daemon();
        daemon.WriteSites(Daemon.Site("Größe", 1, $"http *:{daemon.First}:"));
        Check.Eventually(() => daemon.SitesOn(daemon.First).Length == 1, "the site is seen");
        Check.Equal($"{daemon.First} used Größe|used free|{daemon.First + 1} {daemon.First + 2}", Run(daemon, $$"""
            $list = Get-BerthPort -Source iis -Pool default
            $asked = {{daemon.First}}, {{daemon.First + 1}} | Get-BerthPort
            "$($list.Port) $($list.State) $($list.Claims[0].Holder)|$($asked.State)|$(Get-BerthFreePort -Count 2)"
            """));
    }

    [Test]
    public void conflicts_and_status__are_told()
    {
        using var daemon = new Daemon(more: "<conflicts debounce=\"0s\"/>");
        daemon.WriteSites(Daemon.Site("One", 1, $"http *:{daemon.First}:") + Daemon.Site("Two", 2, $"http *:{daemon.First}:"));
        Check.Eventually(() => daemon.Call("conflicts")["conflicts"]!.AsArray().Count > 0, "the conflict is told");
        Check.Equal($"{daemon.First} True DateTime 0 default", Run(daemon, """
            $c = Get-BerthConflict
            "$($c.Port) $($c.Text -match 'One' -and $c.Text -match 'Two') $($c.OpenedAt.GetType().Name) $(@(Get-BerthConflict -Port 1).Count) $((Get-BerthStatus).Pools[0].Name)"
            """));
    }

    [Test]
    public void errors__are_records_of_their_reason_and_do_not_end_a_pipeline()
    {
        using var daemon = new Daemon(size: 1);
        // the last of a variable's errors: PowerShell puts those that a function caught within itself before
        Check.Equal($"Berth.pool_exhausted,New-BerthLease LimitsExceeded True|Berth.not_found,Remove-BerthLease|Berth.not_reached,Get-BerthStatus|a", Run(daemon, """
            $ErrorActionPreference = 'SilentlyContinue'
            $got = 'a', 'b' | New-BerthLease -ErrorVariable full
            Remove-BerthLease -Key nobody -ErrorVariable none
            Get-BerthStatus -Endpoint /nowhere/berth.sock -TimeoutSec 1 -ErrorVariable away
            "$($full[-1].FullyQualifiedErrorId) $($full[-1].CategoryInfo.Category) $($full[-1].Exception.Message -match '1 leased')|$($none[-1].FullyQualifiedErrorId)|$($away[-1].FullyQualifiedErrorId)|$($got.Key)"
            """));
    }

    [Test]
    public void key__of_parts__is_the_steps()
        => Check.Equal("octopus/Spaces-1/-/Shop%2FAdmin", Run("ConvertTo-BerthKey 'octopus', 'Spaces-1', '', 'Shop/Admin'"));

    [Test]
    public void watch__two_events__are_written_and_it_ends()
    {
        using var fake = new FakeDaemon((line, socket) =>
        {
            Check.Contains("\"topics\":[\"leases\"]", line);
            return System.Text.Encoding.UTF8.GetBytes("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"revision\":1}}\n" +
                string.Concat(new[] { 1, 2, 3 }.Select(n => $"{{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{{\"revision\":{n},\"time\":\"2026-11-25T10:00:00Z\",\"topic\":\"leases\",\"type\":\"lease.granted\",\"port\":49000}}}}\n")));
        });
        Check.Equal("1 lease.granted 49000 2026, 2 lease.granted 49000 2026",
            Run($"(Watch-Berth -Topic leases -Endpoint '{fake.Endpoint}' | Select-Object -First 2 | ForEach-Object {{ \"$($_.Revision) $($_.Type) $($_.Port) $($_.Time.Year)\" }}) -join ', '"));
    }

    [Test]
    public void history__of_a_key_and_a_port__is_told()
    {
        using var daemon = new Daemon();
        Check.Equal($"lease.released lease.granted {daemon.First} DateTime 2", Run(daemon, """
            $lease = New-BerthLease -Key k
            $null = $lease | Remove-BerthLease
            $entries = @(Get-BerthHistory -Key k)
            "$($entries.Event -join ' ') $($entries[0].Port) $($entries[0].Time.GetType().Name) $(@(Get-BerthHistory -Port $lease.Port).Count)"
            """));
    }

    [Test]
    public void watch__since_a_revision__tells_of_the_lease()
    {
        using var daemon = new Daemon();
        Check.Equal("leases lease.granted DateTime True", Run(daemon, """
            $before = (Get-BerthStatus).Revision
            $lease = New-BerthLease -Key k
            $event = Watch-Berth -Topic leases -Since $before | Select-Object -First 1
            "$($event.Topic) $($event.Type) $($event.Time.GetType().Name) $($event.Revision -gt $before)"
            """));
    }

    [Test]
    public void watch__the_daemon_goes__is_an_error()
    {
        using var fake = new FakeDaemon((_, socket) => { socket.Send("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"revision\":1}}\n"u8.ToArray()); return null; });
        Check.Equal("Berth.broken,Watch-Berth", Run($"Watch-Berth -Endpoint '{fake.Endpoint}' -ErrorVariable e -ErrorAction SilentlyContinue; $e[-1].FullyQualifiedErrorId"));
    }
}
