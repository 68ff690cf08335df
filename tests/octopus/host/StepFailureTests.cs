// SPDX-License-Identifier: MIT
using System.Text;
using System.Text.Json.Nodes;

namespace Berth.OctopusTests;

/// <summary>The other steps, and what goes wrong.</summary>
public sealed partial class StepTests
{
    // ---- release ----

    [Test]
    public void release__the_same_parameters__rebuilds_the_key()
    {
        using var daemon = new Daemon();
        int port = Acquire(daemon, "Shop/Admin é").Run().Succeeded().Port;
        int other = Acquire(daemon, "other").Run().Succeeded().Port;
        var result = Release(daemon, "Shop/Admin é").Run().Succeeded();
        Check.Contains($"Released port {port} on {daemon.Host}", result.At("highlight"));
        Check.Equal($"{other}", string.Join(',', daemon.LeasedPorts()));
    }

    [Test]
    public void release__nothing_there__is_well_unless_it_must()
    {
        using var daemon = new Daemon();
        Check.Contains("Nothing to release", Release(daemon).Run().Succeeded().Output);
        Check.Contains($"there is no lease of the key {Key}.", Release(daemon).With("MustExist", "True").Run().Failed().Reason);
    }

    [Test]
    public void release__generations__one_or_all()
    {
        using var daemon = new Daemon();
        foreach (var generation in new[] { "", "1.0", "1.1", "1.2" })
        {
            Acquire(daemon).With("Generation", generation).Run().Succeeded();
        }
        Release(daemon).With("Generation", "1.1").Run().Succeeded();
        Check.Equal(" 1.0 1.2", string.Join(' ', daemon.Leases(Key).Select(l => l!["generation"]!.GetValue<string>()).Order(StringComparer.Ordinal)));
        Release(daemon).Run().Succeeded();
        Check.Equal("1.0 1.2", string.Join(' ', daemon.Leases(Key).Select(l => l!["generation"]!.GetValue<string>()).Order(StringComparer.Ordinal)));
        Release(daemon).With("Generation", "*").Run().Succeeded();
        Check.Equal(0, daemon.Leases(Key).Count);
    }

    // ---- the built-in IIS step ----

    [Test]
    public void iis_step__its_transients__never_free_the_leased_port()
    {
        using var daemon = new Daemon(size: 2);
        int port = Acquire(daemon).With("SiteName", "Shop").Run().Succeeded().Port;
        void Other(string when)
        {
            Check.Equal("leased", daemon.State(port), when);
            Check.True(Acquire(daemon, "greedy").Run().Succeeded().Port != port, when);
        }
        void Write(string when, string sites, Func<bool> seen)
        {
            daemon.WriteSites(sites);
            Check.Eventually(seen, when);
            Other(when);
        }
        string LeaseState() => daemon.Leases(Key).Single()!["state"]!.GetValue<string>();

        // a new site: a placeholder's binding, none at all, the real one
        Write("placeholder", Daemon.Site("Shop", 1, "http :81:od-temp.example.com"), () => daemon.SitesOn(81).Length == 1);
        Write("no bindings", Daemon.Site("Shop", 1), () => daemon.SitesOn(81).Length == 0);
        Write("the real binding", Daemon.Site("Shop", 1, $"http *:{port}:"), () => daemon.SitesOn(port).Length == 1 && LeaseState() == "active");
        // deployed again: all bindings cleared, and added again
        Write("cleared", Daemon.Site("Shop", 1), () => daemon.SitesOn(port).Length == 0 && LeaseState() == "lingering");
        Check.Equal(port, Acquire(daemon).With("SiteName", "Shop").Run().Succeeded().Port);
        Write("back", Daemon.Site("Shop", 1, $"http *:{port}:"), () => daemon.SitesOn(port).Length == 1 && LeaseState() == "active");
        Check.Contains("kept while it is used", Acquire(daemon).With("SiteName", "Shop").Run().Succeeded().At("highlight"));
    }

    // ---- assert ----

    private static Daemon WithConflict(out int port)
    {
        var daemon = new Daemon(more: "<conflicts debounce=\"0s\"/>");
        port = daemon.First;
        daemon.WriteSites(Daemon.Site("One", 1, $"http *:{port}:") + Daemon.Site("Two", 2, $"http *:{port}:"));
        Check.Eventually(() => daemon.Call("conflicts")["conflicts"]!.AsArray().Count > 0, "the conflict is told");
        return daemon;
    }

    [Test]
    public void assert__no_conflict__passes()
    {
        using var daemon = new Daemon();
        Check.Contains($"No conflict on {daemon.Host}.", Assert(daemon).Run().Succeeded().Output);
    }

    [Test]
    public void assert__a_conflict__fails_with_its_sentence()
    {
        using var daemon = WithConflict(out _);
        var text = daemon.Call("conflicts")["conflicts"]![0]!["text"]!.GetValue<string>();
        var refused = Assert(daemon).Run().Failed();
        Check.Contains("1 conflict(s) on ", refused.Reason);
        Check.Contains(text.TrimEnd('.')[1..], refused.Reason);
        Check.Contains("One", refused.Reason);
        Check.Contains("Two", refused.Reason);
    }

    [Test]
    public void assert__told_to_warn__warns()
    {
        using var daemon = WithConflict(out _);
        Check.Contains("Two", Assert(daemon).With("OnConflict", "warn").Run().Succeeded().At("warning"));
    }

    [Test]
    public void assert__ports_and_severity__choose()
    {
        using var daemon = WithConflict(out int port);
        var severity = daemon.Call("conflicts")["conflicts"]![0]!["severity"]!.GetValue<string>();
        Check.Contains($"for port {port + 1} on ", Assert(daemon).With("Ports", $"{port + 1}").Run().Succeeded().Output);
        Assert(daemon).With("Ports", $"{port + 1}, {port}").Run().Failed();
        Assert(daemon).With("Severity", severity == "error" ? "warning" : "error").Run().Succeeded();
        Assert(daemon).With("Severity", severity).Run().Failed();
        Check.Contains("Ports has 'web', which is no port", Assert(daemon).With("Ports", "web").Run().Failed().Reason);
    }

    // ---- report ----

    [Test]
    public void report__each_format__is_attached()
    {
        using var daemon = new Daemon();
        daemon.WriteSites(Daemon.Site("=Größe \"x\"", 1, $"http *:{daemon.First}:"));
        Check.Eventually(() => daemon.SitesOn(daemon.First).Length == 1, "the site is seen");
        foreach (var (format, expected) in new[]
        {
            ("txt", $"{daemon.First}  used      IIS site '=Größe \"x\"' (http *:{daemon.First}:)"),
            ("csv", $"{daemon.First},\"used\",\"IIS site '=Größe \"\"x\"\"' (http *:{daemon.First}:)\""),
            ("json", "=Größe"),
        })
        {
            var (text, bytes) = ("", Array.Empty<byte>());
            var name = $"berth-ports-{daemon.Host}.{format}";
            var path = "";
            var result = Report(daemon).With("Format", format).With("Pool", "default").Run(folder =>
            {
                path = Path.Combine(folder, name);
                bytes = File.ReadAllBytes(path);
                text = Encoding.UTF8.GetString(bytes);
            }).Succeeded();
            Check.Contains(expected, text);
            Check.Contains($"##octopus[createArtifact path='{OctopusStep.Encode(path)}' name='{OctopusStep.Encode(name)}' length='{OctopusStep.Encode($"{bytes.Length}")}']\n", result.Output);
            Check.Equal(format == "csv", bytes is [0xef, 0xbb, 0xbf, ..], "a mark");
            if (format == "json")
            {
                Check.Equal(daemon.First, JsonNode.Parse(text)!["ports"]![0]!["port"]!.GetValue<int>());
            }
        }
    }

    [Test]
    public void report__a_pool_that_is_not__fails()
    {
        using var daemon = new Daemon();
        foreach (var format in new[] { "txt", "json" })
        {
            Check.Contains("nowhere", Report(daemon).With("Pool", "nowhere").With("Format", format).Run().Failed().Reason);
        }
    }

    // ---- the machine ----

    [Test]
    public void machine__a_worker__is_refused()
    {
        using var daemon = new Daemon();
        var refused = Acquire(daemon).Variable("Octopus.Machine.Hostname", "web01.example.com").Variable("Octopus.WorkerPool.Id", "WorkerPools-1").Run().Failed();
        Check.Contains($"This step runs on the worker {daemon.Host}, not on the target 'web01.example.com'", refused.Reason);
        Acquire(daemon).Variable("Octopus.Machine.Hostname", "10.1.2.3").Variable("Octopus.Action.RunOnServer", "True").Run().Failed();
        Release(daemon).Variable("Octopus.Machine.Hostname", "web01").Variable("Octopus.Action.RunOnServer", "True").Run().Failed();
        Check.Equal(0, daemon.LeasedPorts().Length);
    }

    [Test]
    public void machine__a_worker_allowed_or_the_target_itself__is_not()
    {
        using var daemon = new Daemon();
        OctopusStep Worker() => Acquire(daemon).Variable("Octopus.WorkerPool.Id", "WorkerPools-1");
        Check.Equal("", Worker().Variable("Octopus.Machine.Hostname", daemon.Host.ToUpperInvariant() + ".example.com").Run().Succeeded().At("warning"));
        Check.Contains("runs on the worker", Worker().Variable("Octopus.Machine.Hostname", "web01").With("WorkerCheck", "warn").Run().Succeeded().At("warning"));
        Check.Equal("", Worker().Variable("Octopus.Machine.Hostname", "web01").With("WorkerCheck", "off").Run().Succeeded().At("warning"));
    }

    [Test]
    public void machine__a_target_of_another_name__is_warned_about()
    {
        using var daemon = new Daemon();
        Check.Contains("Octopus knows the target as 'web01.example.com'", Acquire(daemon).Variable("Octopus.Machine.Hostname", "web01.example.com").Run().Succeeded().At("warning"));
        Check.Equal("", Acquire(daemon).Variable("Octopus.Machine.Hostname", "10.1.2.3").Run().Succeeded().At("warning"));
        Check.Equal("", Acquire(daemon).WithoutVariable("Octopus.Machine.Hostname").Run().Succeeded().At("warning"));
    }

    // ---- errors ----

    [Test]
    public void errors__no_daemon__says_how_to_have_one()
    {
        using var folder = new TempFolder();
        foreach (var step in new[] { "acquire-port", "release-port", "assert-no-conflicts", "report-ports" })
        {
            var run = new OctopusStep(language, step).With("Endpoint", folder.File_("none.sock")).With("Timeout", "1");
            var refused = (step is "acquire-port" or "release-port" ? run.With("Purpose", "web") : run).Run().Failed();
            Check.Contains("Berth does not answer on ", refused.Reason);
            Check.Contains("start it ('systemctl start berthd')", refused.Reason);
            Check.Contains("install it as the README says", refused.Reason);
        }
    }

    [Test]
    public void errors__pool_exhausted__says_by_what()
    {
        using var daemon = new Daemon(size: 3);
        daemon.WriteSites(Daemon.Site("Shop", 1, $"http *:{daemon.First}:"));
        Check.Eventually(() => daemon.SitesOn(daemon.First).Length == 1, "the site is seen");
        Acquire(daemon, "a").With("Count", "2").Run().Succeeded();
        var refused = Acquire(daemon, "b").Run().Failed();
        Check.Equal($"No port is free in default {daemon.First}-{daemon.First + 2}. Of 3 ports: 2 leased, 1 iis. " +
            "Release leases that nobody needs ('berth leases' lists them), or give the pool more ports in berthd.config.", refused.Reason);
    }

    [Test]
    public void errors__a_port_of_http_sys__is_told_in_words()
    {
        using var fake = FakeDaemon.Of(new()
        {
            ["hello"] = "{\"protocol\":1,\"version\":\"0.1.0\",\"instance\":\"i\",\"host\":\"h\",\"platform\":\"windows\"}",
            ["allocate"] = "!{\"code\":-32002,\"message\":\"port 80 is not free\",\"data\":{\"reason\":\"port_in_use\",\"port\":80,\"claims\":" +
                "[{\"source\":\"httpsys\",\"kind\":\"url\",\"holder\":\"http://+:80/\",\"detail\":\"URL reservation, D:(A;;GX;;;S-1-5-20)\"}]}}",
        });
        Check.Equal("Port 80 is not free: http.sys: http://+:80/ (URL reservation, D:(A;;GX;;;S-1-5-20)).",
            new OctopusStep(language, "acquire-port").With("Endpoint", fake.Endpoint).With("Purpose", "web").Run().Failed().Reason);
    }

    [Test]
    public void errors__no_role__says_which_group()
    {
        using var daemon = new Daemon();
        var refused = Nobody(daemon.Endpoint).Run().Failed();
        Check.Contains("to the group 'berth', or to one that has the role allocator in berthd.config", refused.Reason);
        Check.Equal(0, daemon.LeasedPorts().Length);
    }

    [Test]
    public void errors__the_endpoint_closed_to_us__says_so()
    {
        using var daemon = new Daemon();
        using var folder = new TempFolder();
        var link = folder.File_("closed");
        Directory.CreateDirectory(link, (UnixFileMode)Convert.ToInt32("700", 8));
        File.CreateSymbolicLink(Path.Combine(link, "berth.sock"), daemon.Endpoint);
        var refused = Nobody(Path.Combine(link, "berth.sock")).Run().Failed();
        Check.Contains(language == Language.Bash ? "Access to the daemon at " : " may not open Berth's endpoint ", refused.Reason);
        Check.Contains("berthd.config", refused.Reason);
    }

    [Test]
    public void errors__anothers_lease__says_whose()
    {
        using var fake = FakeDaemon.Of(new()
        {
            ["hello"] = "{\"protocol\":1,\"version\":\"0.1.0\",\"instance\":\"i\",\"host\":\"h\",\"platform\":\"linux\"}",
            ["leases"] = "{\"revision\":1,\"leases\":[{\"port\":49000,\"ports\":[49000],\"lease\":\"a1\",\"key\":\"k\",\"generation\":\"\",\"state\":\"pending\"}]}",
            ["release"] = "!{\"code\":-32006,\"message\":\"the lease of port 49000 is another's\",\"data\":{\"reason\":\"denied\",\"owner\":\"deploy\"}}",
        });
        Check.Equal("The lease of port 49000 is another's. The lease is deploy's: let the same account release it, or an administrator.",
            new OctopusStep(language, "release-port").With("Endpoint", fake.Endpoint).With("Key", "k").Run().Failed().Reason);
    }

    [Test]
    public void release__without_the_role__releases_nothing()
    {
        using var daemon = new Daemon();
        Acquire(daemon).Run().Succeeded();
        var refused = new OctopusStep(language, "release-port") { AsNobody = Permitted() }.With("Endpoint", daemon.Endpoint).With("Purpose", "web").Run().Failed();
        Check.Contains("allocator", refused.Reason);
        Check.Equal(1, daemon.LeasedPorts().Length);
    }

    private OctopusStep Nobody(string endpoint) =>
        new OctopusStep(language, "acquire-port") { AsNobody = Permitted() }.With("Endpoint", endpoint).With("Purpose", "web").With("Timeout", "5");

    /// <summary>Another user needs root to become, and must be able to read the programs.</summary>
    private static bool Permitted()
    {
        if (System.Environment.UserName != "root")
        {
            throw new TestLeftOut("only root can become another user");
        }
        for (var folder = Path.GetDirectoryName(Places.Own); folder != null; folder = Path.GetDirectoryName(folder))
        {
            if ((File.GetUnixFileMode(folder) & UnixFileMode.OtherExecute) == 0)
            {
                throw new TestLeftOut($"another user may not enter {folder}");
            }
        }
        return true;
    }

    [Test]
    public void errors__an_old_or_new_protocol__says_what_to_update()
    {
        foreach (var (protocol, reason) in new[] { (0, "protocol 0"), (2, "protocol 2") })
        {
            using var fake = FakeDaemon.Of(new() { ["hello"] = $"{{\"protocol\":{protocol},\"version\":\"0.0.9\",\"instance\":\"i\",\"host\":\"h\",\"platform\":\"linux\"}}" });
            var refused = new OctopusStep(language, "acquire-port").With("Endpoint", fake.Endpoint).With("Purpose", "web").Run().Failed();
            Check.Contains(reason, refused.Reason);
            Check.Contains("pdate", refused.Reason);
        }
    }

    [Test]
    public void errors__a_method_that_is_not_known__says_that_it_is_old()
    {
        using var fake = FakeDaemon.Of(new() { ["hello"] = "{\"protocol\":1,\"version\":\"0.0.9\",\"instance\":\"i\",\"host\":\"h\",\"platform\":\"linux\"}" });
        var refused = new OctopusStep(language, "assert-no-conflicts").With("Endpoint", fake.Endpoint).With("Settle", "0").Run().Failed();
        Check.Contains("too old for this", refused.Reason);
        Check.Contains("conflicts", refused.Reason);
    }

    [Test]
    public void errors__a_daemon_that_never_answers__ends_in_time()
    {
        using var fake = new FakeDaemon((_, _) => []);
        var refused = new OctopusStep(language, "acquire-port").With("Endpoint", fake.Endpoint).With("Purpose", "web").With("Timeout", "1").Run().Failed();
        Check.True(refused.Reason.Contains("did not answer", StringComparison.Ordinal) || refused.Reason.Contains("no answer", StringComparison.OrdinalIgnoreCase), refused.Reason);
    }
}
