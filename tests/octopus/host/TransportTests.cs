// SPDX-License-Identifier: MIT
using System.Net.Sockets;
using System.Text;

namespace Berth.OctopusTests;

/// <summary>BerthClient.ps1 against an endpoint that misbehaves.</summary>
public sealed class TransportTests
{
    private static string Client => $". '{Path.Combine(Places.Root, "octopus/Berth/BerthClient.ps1")}'\n";

    /// <summary>Runs a script with a connection $c; what is thrown is written as "REASON: MESSAGE".</summary>
    private static string With(string endpoint, string script, int timeoutMs = 20000) => PowerShellProcess.Run(Client +
        $"try {{ $c = Connect-Berth '{endpoint}' {timeoutMs}\n{script}\n}} catch {{ \"$(Get-BerthErrorReason $_.Exception): $($_.Exception.Message)\" }} finally {{ Disconnect-Berth $c }}");

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    [Test]
    public void request__is_one_line_of_utf8_without_a_mark()
    {
        using var fake = FakeDaemon.Of(new() { ["hello"] = "{}" });
        With(fake.Endpoint, "$null = Invoke-BerthMethod $c 'hello' @{ text = \"Gr\u00f6\u00dfe`n\" }");
        var sent = fake.Received.ToArray();
        Check.True(sent[0] == '{' && sent[^1] == '\n' && sent.Count(b => b == '\n') == 1, "one line");
        Check.Contains("Größe\\n", Encoding.UTF8.GetString(sent));
    }

    [Test]
    public void answer__a_byte_at_a_time__is_read_whole()
    {
        using var fake = new FakeDaemon((_, socket) =>
        {
            foreach (var b in Bytes("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"text\":\"Größe\"}}\r\n"))
            {
                socket.Send([b]);
            }
            return [];
        });
        Check.Equal("Größe", With(fake.Endpoint, "(Invoke-BerthMethod $c 'x').text"));
    }

    [Test]
    public void answer__larger_than_a_page__is_read_whole()
    {
        using var fake = FakeDaemon.Of(new() { ["x"] = $"{{\"text\":\"{new string('a', 3_000_000)}\"}}" });
        Check.Equal("3000000", With(fake.Endpoint, "(Invoke-BerthMethod $c 'x').text.Length"));
    }

    [Test]
    public void answers__several_on_a_connection__each_is_its_own()
    {
        using var fake = FakeDaemon.Of(new() { ["a"] = "{\"n\":1}", ["b"] = "{\"n\":2}" });
        Check.Equal("1 2 1", With(fake.Endpoint, "\"$((Invoke-BerthMethod $c 'a').n) $((Invoke-BerthMethod $c 'b').n) $((Invoke-BerthMethod $c 'a').n)\""));
    }

    [Test]
    public void lines__two_in_one_packet__are_both_read()
    {
        using var fake = new FakeDaemon((_, _) => Bytes("one\ntwo\n"));
        Check.Equal("one two", With(fake.Endpoint, "Send-BerthLine $c 'x'; \"$(Read-BerthLine $c 9000) $(Read-BerthLine $c 9000)\""));
    }

    [Test]
    public void line__interrupted_by_the_time_limit__goes_on()
    {
        using var go = new ManualResetEventSlim();
        using var fake = new FakeDaemon((line, socket) =>
        {
            if (line == "first")
            {
                return Bytes("begin");
            }
            return Bytes("ning\n");
        });
        Check.Equal("True beginning", With(fake.Endpoint, "Send-BerthLine $c 'first'; $none = Read-BerthLine $c 200; Send-BerthLine $c 'second'; \"$($null -eq $none) $(Read-BerthLine $c 9000)\""));
    }

    [Test]
    public void answer__never__is_a_timeout()
    {
        using var fake = new FakeDaemon((_, _) => []);
        Check.Equal($"timeout: Berth at '{fake.Endpoint}' did not answer 'hello' within 300 ms.", With(fake.Endpoint, "Get-BerthHello $c", 300));
    }

    [Test]
    public void answer__cut_off__is_broken()
    {
        using var fake = new FakeDaemon((_, socket) => { socket.Send(Bytes("{\"jsonrpc\":")); return null; });
        Check.Equal($"broken: Berth at '{fake.Endpoint}' closed the connection.", With(fake.Endpoint, "Get-BerthHello $c"));
    }

    [Test]
    public void answer__not_json__is_broken()
    {
        using var fake = new FakeDaemon((_, _) => Bytes("HTTP/1.1 400 Bad Request\n"));
        Check.Contains($"broken: Berth at '{fake.Endpoint}' answered with something that is not JSON:", With(fake.Endpoint, "Get-BerthHello $c"));
    }

    [Test]
    public void answer__neither_result_nor_error__is_broken()
    {
        using var fake = new FakeDaemon((_, _) => Bytes("{}\n"));
        Check.Contains("with neither a result nor an error", With(fake.Endpoint, "Get-BerthHello $c"));
    }

    [Test]
    public void answer__over_the_ceiling__is_refused()
    {
        using var fake = new FakeDaemon((_, _) => Bytes(new string('a', (16 << 20) + 1)));
        Check.Contains("sent a line of over 16 MiB", With(fake.Endpoint, "Get-BerthHello $c", 60000));
    }

    [Test]
    public void connect__nobody_there__is_not_reached()
    {
        using var folder = new TempFolder();
        Check.Contains("not_reached: Berth does not answer on ", With(folder.File_("none"), "1", 600));
        File.WriteAllText(folder.File_("file"), "");
        Check.Contains("not_reached: ", With(folder.File_("file"), "1", 600));
        Check.Contains("not_reached: ", With("/" + new string('x', 200), "1", 600));
    }

    [Test]
    public void endpoint__not_absolute__is_refused() =>
        Check.Contains("invalid_params: The endpoint 'berth' is not an absolute path", With("berth", "1"));

    [Test]
    public void endpoint__on_windows__is_a_local_pipes_name() => Check.Equal(
        "berth berth x berth | no no",
        PowerShellProcess.Run(Client + """
            function Test-BerthWindows { return $true }
            function No([string]$e) { try { Resolve-BerthEndpoint $e } catch { 'no' } }
            "$(No '') $(No 'berth') $(No '\\.\pipe\x') $(No '//./pipe/berth') | $(No '\\server\pipe\berth') $(No '\\.\pipe\')"
            """));

    [Test]
    public void pipe_owner__only_a_services_or_our_own__is_believed() => Check.Equal(
        "S-1-5-18 S-1-5-32-544 S-1-5-80-3406181939-265939743-1672729043-1222117948-3286459357 me unreadable",
        PowerShellProcess.Run(Client + """
            function Test-BerthWindows { return $true }
            # Windows accounts exist on Windows only: their names in its stead
            $source = (Get-Command Assert-BerthPipeOwner).Definition
            $source = $source.Replace('[System.Security.Principal.WindowsIdentity]::GetCurrent().User.Value', "'me'").Replace('[System.Security.Principal.SecurityIdentifier]', "'sid'")
            Set-Item function:Assert-BerthPipeOwner ([scriptblock]::Create($source))
            $believed = @()
            foreach ($owner in @('S-1-5-18', 'S-1-5-32-544', 'S-1-5-80-3406181939-265939743-1672729043-1222117948-3286459357', 'S-1-5-80-1-2-3', 'S-1-5-21-1-2-3-1001', 'S-1-1-0', 'S-1-5-800', 'me', 'unreadable')) {
                $security = New-Object PSObject -Property @{ Owner = $owner }
                $security | Add-Member ScriptMethod GetOwner { param($type) if ($this.Owner -eq 'unreadable') { throw 'no' }; New-Object PSObject -Property @{ Value = $this.Owner } }
                $pipe = New-Object PSObject -Property @{ Security = $security }
                $pipe | Add-Member ScriptMethod GetAccessControl { $this.Security }
                try { Assert-BerthPipeOwner $pipe 'berth'; $believed += $owner } catch { if ((Get-BerthErrorReason $_.Exception) -ne 'untrusted') { throw } }
            }
            $believed -join ' '
            """));

    [Test]
    public void key_parts__all_but_unreserved__are_encoded() => Check.Equal(
        "azAZ09-._~ %20%21%2A%27%28%29%2F%25%23 %00%7F %C3%B6 %F0%9F%9A%A2 %EF%BF%BD |",
        PowerShellProcess.Run(Client + """
            $parts = foreach ($text in @('azAZ09-._~', " !*'()/%#", "$([char]0)$([char]127)", [string][char]0xf6, [char]::ConvertFromUtf32(0x1f6a2), [string][char]0xd83d, '')) { ConvertTo-BerthKeyPart $text }
            ($parts -join ' ') + '|'
            """));

    [Test]
    public void claims__of_each_kind__are_told_in_words() => Check.Equal("""
        IIS site 'Shop' (http *:80:, stopped, just removed)
        the FTP data ports of IIS
        a lease of the key k
        cooling down after a lease of k, until 2026-11-25T21:40:16Z
        excluded by the system
        reserved in berthd.config: monitoring
        http.sys: http://+:80/ (URL reservation, D:(A;;GX;;;S-1-5-20))
        process nginx (pid 12) listening on 0.0.0.0
        a process bound on ::
        open connections
        connections in TIME_WAIT
        new thing holder
        """,
        PowerShellProcess.Run(Client + """
            foreach ($json in @(
                '{"source":"iis","kind":"binding","holder":"Shop","detail":"http *:80:","stopped":true,"lingering":true,"address":"*"}',
                '{"source":"iis","kind":"ftp_data"}', '{"source":"lease","kind":"lease","holder":"k"}',
                '{"source":"lease","kind":"cooling","holder":"k","until":"2026-11-25T21:40:16.182Z"}', '{"source":"excluded","kind":"exclusion"}',
                '{"source":"reserved","kind":"reservation","holder":"monitoring"}', '{"source":"httpsys","kind":"url","detail":"URL reservation, D:(A;;GX;;;S-1-5-20)","holder":"http://+:80/"}',
                '{"source":"tcp","kind":"listener","holder":"nginx","pid":12,"address":"0.0.0.0"}', '{"source":"tcp","kind":"bound","address":"::"}',
                '{"source":"tcp","kind":"connection"}', '{"source":"tcp","kind":"time_wait"}', '{"source":"new","kind":"thing","holder":"holder"}')) {
                Format-BerthClaim (ConvertFrom-Json $json)
            }
            """));

    // ---- Bash ----

    /// <summary>Runs Bash with berth-step.sh loaded; writes what it wrote, then its exit status.</summary>
    private static string Bash(string script, string input = "", string? path = null)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File_("input"), input);
        var start = new System.Diagnostics.ProcessStartInfo("/bin/bash",
            ["-c", $"get_octopusvariable() {{ echo; }}; fail_step() {{ exit 1; }}; . '{Path.Combine(Places.Root, "octopus/scripts/common/berth-step.sh")}'; {script}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.Path,
        };
        if (path != null)
        {
            start.Environment["PATH"] = path;
        }
        using var process = System.Diagnostics.Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Check.Equal("", errors.Result, "standard error");
        return output + process.ExitCode;
    }

    [Test]
    public void bash_json__all_kinds_of_values__become_lines() => Check.Equal(
        ".port\t49000\n.ports.0\t1\n.ports.1\t-2.5e3\n.a.b.c\ttrue\n.text\tGröße \"x\" \\ / | é ₂ \U0001F6A2 tab nl\n.x.0.y.0\tz\n0",
        Bash("flatten_json < input", """
            { "port" : 49000, "ports":[1,-2.5e3], "a":{"b":{"c":true}}, "none":null, "empty":[], "nothing":{},
              "text":"Größe \"x\" \\ \/ | \u00e9 \u2082 \ud83d\udea2 tab\tnl\n", "x":[{"y":["z"]}] }
            """).Replace("nl \n", "nl\n"));

    [Test]
    public void bash_json__what_is_none__fails()
    {
        foreach (var text in new[] { "", "{", "{\"a\"}", "{\"a\":}", "[1,", "[1 2]", "\"open", "{} x", "{\"a\":1,}", "berth: no such thing" })
        {
            Check.True(!Bash("flatten_json < input", text).EndsWith('0'), $"accepted: {text}");
        }
    }

    [Test]
    public void bash__texts_from_outside__are_no_messages() => Check.Equal(
        "a b # # octopus[x] # # # octopus C#.0", Bash("log_text $'a\\tb ##octopus[x] ###octopus C#'"));

    [Test]
    public void bash__without_the_program__says_where_it_was_looked_for()
    {
        if (File.Exists("/usr/bin/berth") || File.Exists("/usr/local/bin/berth"))
        {
            throw new TestLeftOut("berth is installed here");
        }
        var output = Bash("find_berth", path: "/usr/bin:/bin");
        Check.Contains("The program berth is neither on PATH nor in /usr/bin on ", output);
        Check.True(output.EndsWith('1'), output);
    }
}
