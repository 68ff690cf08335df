// SPDX-License-Identifier: MIT
using System.Text;
using System.Text.Json.Nodes;

namespace Berth.OctopusTests;

/// <summary>The steps, in either language, against a real daemon.</summary>
public sealed partial class StepTests(Language language)
{
    private const string Key = "octopus/Spaces-1/Projects-7/Environments-3/-/Channels-2/web";

    private OctopusStep Acquire(Daemon daemon, string purpose = "web") => new OctopusStep(language, "acquire-port").On(daemon).With("Purpose", purpose);
    private OctopusStep Release(Daemon daemon, string purpose = "web") => new OctopusStep(language, "release-port").On(daemon).With("Purpose", purpose);
    private OctopusStep Assert(Daemon daemon) => new OctopusStep(language, "assert-no-conflicts").On(daemon).With("Settle", "0");
    private OctopusStep Report(Daemon daemon) => new OctopusStep(language, "report-ports").On(daemon);

    // ---- acquire ----

    [Test]
    public void acquire__a_key__sets_the_port_in_these_bytes()
    {
        using var daemon = new Daemon();
        var result = Acquire(daemon).Run().Succeeded();
        var lease = daemon.Leases(Key).Single()!;
        int port = lease["port"]!.GetValue<int>();
        var expected = new[]
        {
            $"##octopus[setVariable name='UG9ydA==' value='{OctopusStep.Encode($"{port}")}']",
            $"##octopus[setVariable name='QmVydGguS2V5' value='{OctopusStep.Encode(Key)}']",
            $"##octopus[setVariable name='QmVydGguTGVhc2U=' value='{OctopusStep.Encode(lease["lease"]!.GetValue<string>())}']",
            "##octopus[stdout-highlight]",
            $"Port {port} on {daemon.Host} (new), kept until {Second(lease["expires_at"]!)} at least.",
            "##octopus[stdout-default]",
            $"Key {Key}, lease {lease["lease"]}, pending.",
            "",
        };
        var seen = language == Language.Bash ? result.Output.Replace(lease["expires_at"]!.GetValue<string>(), Second(lease["expires_at"]!)) : result.Output;
        Check.Equal(string.Join('\n', expected), seen);
        Check.True(result.Bytes.All(b => b < 128), "nothing but ASCII");
    }

    /// <summary>PowerShell shows whole seconds.</summary>
    private static string Second(JsonNode time) => time.GetValue<string>()[..19] + "Z";

    [Test]
    public void acquire__retried_three_times__one_port()
    {
        using var daemon = new Daemon();
        var first = Acquire(daemon).Run().Succeeded();
        for (int i = 0; i < 3; i++)
        {
            var again = Acquire(daemon).Run().Succeeded();
            Check.Equal(first.Port, again.Port);
            Check.Contains("(the same as before)", again.At("highlight"));
        }
        Check.Equal(1, daemon.LeasedPorts().Length);
    }

    [Test]
    public void acquire__ten_at_once__ten_ports()
    {
        using var daemon = new Daemon();
        var results = new StepResult[10];
        Parallel.For(0, 10, new ParallelOptions { MaxDegreeOfParallelism = 10 }, i => results[i] = Acquire(daemon, $"site {i}").Run());
        Check.Equal(10, results.Select(r => r.Succeeded().Port).Distinct().Count());
        Check.Equal(string.Join(',', daemon.LeasedPorts()), string.Join(',', results.Select(r => r.Port).Order()));
    }

    [Test]
    public void acquire__ten_at_once_of_one_key__one_port()
    {
        using var daemon = new Daemon();
        var results = new StepResult[10];
        Parallel.For(0, 10, new ParallelOptions { MaxDegreeOfParallelism = 10 }, i => results[i] = Acquire(daemon).Run());
        Check.Equal(1, results.Select(r => r.Succeeded().Port).Distinct().Count());
    }

    [Test]
    public void acquire__the_key__is_of_encoded_ids_and_the_names_are_notes()
    {
        using var daemon = new Daemon();
        var result = Acquire(daemon, " Shop/Admin & (Größe)! 100% ").Variable("Octopus.Deployment.Tenant.Id", "Tenants-5")
            .Variable("Octopus.Deployment.Tenant.Name", "Acme #{x}").Run().Succeeded();
        const string key = "octopus/Spaces-1/Projects-7/Environments-3/Tenants-5/Channels-2/Shop%2FAdmin%20%26%20%28Gr%C3%B6%C3%9Fe%29%21%20100%25";
        Check.Equal(key, result.Variables["Berth.Key"]);
        var meta = daemon.Leases(key).Single()!["meta"]!;
        foreach (var (name, value) in new Dictionary<string, string>
        {
            ["by"] = "octopus", ["space"] = "Default", ["project"] = "Shop", ["environment"] = "Größe", ["tenant"] = "Acme #{x}", ["channel"] = "Main",
            ["release"] = "1.2.3", ["deployment"] = "Deployments-9", ["target"] = "Web01", ["step"] = "Acquire port",
        })
        {
            Check.Equal(value, meta[name]!.GetValue<string>(), name);
        }
    }

    [Test]
    public void acquire__long_names__are_shortened_and_whole_characters()
    {
        using var daemon = new Daemon();
        var step = Acquire(daemon);
        foreach (var name in OctopusStep.Deployment.Keys.Where(n => n.EndsWith("Name", StringComparison.Ordinal)).ToArray())
        {
            step.Variable(name, "x" + string.Concat(Enumerable.Repeat("\U0001F6A2", 300)));
        }
        step.Run().Succeeded();
        Check.True(daemon.Leases(Key).Single()!["meta"]!["project"]!.GetValue<string>().StartsWith("x\U0001F6A2", StringComparison.Ordinal), "the name");
    }

    [Test]
    public void acquire__another_purpose__another_port()
    {
        using var daemon = new Daemon();
        Check.True(Acquire(daemon).Run().Succeeded().Port != Acquire(daemon, "admin").Run().Succeeded().Port, "one port for two purposes");
    }

    [Test]
    public void acquire__no_purpose__is_the_sites_name()
    {
        using var daemon = new Daemon();
        var result = Acquire(daemon, "").With("SiteName", "Shop Web").Run().Succeeded();
        Check.Equal("octopus/Spaces-1/Projects-7/Environments-3/-/Channels-2/Shop%20Web", result.Variables["Berth.Key"]);
        Check.Equal("site:Shop Web", daemon.Leases(result.Variables["Berth.Key"]).Single()!["holder"]!.GetValue<string>());
    }

    [Test]
    public void acquire__neither_purpose_nor_site__fails()
    {
        using var daemon = new Daemon();
        Check.Contains("Purpose and Site name are empty", Acquire(daemon, "").Run().Failed().Reason);
        Check.Equal(0, daemon.LeasedPorts().Length);
    }

    [Test]
    public void acquire__no_channel_in_a_runbook__fails_unless_left_empty()
    {
        using var daemon = new Daemon();
        var refused = Acquire(daemon).WithoutVariable("Octopus.Release.Channel.Id").Run().Failed();
        Check.Contains("Channel is '#{Octopus.Release.Channel.Id}', which has no value here", refused.Reason);
        Check.Equal("octopus/Spaces-1/Projects-7/Environments-3/-/-/web", Acquire(daemon).With("Channel", "").Run().Succeeded().Variables["Berth.Key"]);
    }

    [Test]
    public void acquire__three_names__three_variables()
    {
        using var daemon = new Daemon();
        var result = Acquire(daemon).With("Count", "3").With("Contiguous", "True").With("OutputVariable", "Web, Admin ,Health").Run().Succeeded();
        int web = int.Parse(result.Variables["Web"]);
        Check.Equal($"{web + 1} {web + 2}", $"{result.Variables["Admin"]} {result.Variables["Health"]}");
        Check.Contains($"Ports {web}, {web + 1}, {web + 2} on ", result.At("highlight"));
    }

    [Test]
    public void acquire__three_ports_of_one_name__are_numbered()
    {
        using var daemon = new Daemon();
        var v = Acquire(daemon).With("Count", "3").With("OutputVariable", "Web").Run().Succeeded().Variables;
        Check.Equal("Berth.Key Berth.Lease Web Web_1 Web_2 Web_3", string.Join(' ', v.Keys.Order(StringComparer.Ordinal)));
        Check.True(v["Web"] == v["Web_1"] && v["Web_1"] != v["Web_2"] && v["Web_2"] != v["Web_3"], "the values");
    }

    [Test]
    public void acquire__a_port_for_each_release__keeps_the_last_two()
    {
        using var daemon = new Daemon();
        var ports = new[] { "1.0", "1.1", "1.2", "1.2" }.Select(release => Acquire(daemon).With("Generation", "#{Octopus.Release.Number}")
            .Variable("Octopus.Release.Number", release).With("Keep", "2").Run().Succeeded().Port).ToArray();
        Check.Equal(3, ports.Distinct().Count());
        Check.Equal(ports[2], ports[3]);
        Check.Equal("1.1 1.2", string.Join(' ', daemon.Leases(Key).Select(l => l!["generation"]!.GetValue<string>()).Order()));
    }

    [Test]
    public void acquire__bad_parameters__are_told_by_name_and_take_nothing()
    {
        using var daemon = new Daemon();
        foreach (var (name, value, reason) in new[]
        {
            ("Count", "many", "Count is 'many'; a whole number from 1 to 64 is needed."),
            ("Count", "65", "Count is '65'; a whole number from 1 to 64 is needed."),
            ("Port", "0", "Exact port is '0'; a whole number from 1 to 65535 is needed."),
            ("Prefer", "-1", "Preferred port is '-1'; a whole number from 1 to 65535 is needed."),
            ("Range", "49000", "Range is '49000'; two ports such as 49000-49999 are needed, the lower one first."),
            ("Keep", "3", "Keep says how many generations stay, and Generation is empty"),
            ("OutputVariable", "A,B", "Output variable names 2 variables"),
            ("Timeout", "soon", "Timeout is 'soon'; a whole number from 1 to 3600 is needed."),
            ("Pool", "nowhere", "nowhere"),
            ("Ttl", "for ever", "for ever"),
        })
        {
            Check.Contains(reason, Acquire(daemon).With(name, value).Run().Failed().Reason);
        }
        Check.Equal(0, daemon.LeasedPorts().Length);
    }

    [Test]
    public void acquire__in_a_range_of_a_pool__stays_there()
    {
        using var daemon = new Daemon("<pool name=\"default\" ports=\"FIRST-LAST\"/><pool name=\"qa\" ports=\"11000-11099\"/>");
        Check.Equal(11050, Acquire(daemon).With("Pool", "qa").With("Range", "11050 - 11060").With("Ttl", "90m").Run().Succeeded().Port);
    }

    [Test]
    public void acquire__a_protocol__is_kept_with_the_lease()
    {
        using var daemon = new Daemon();
        Acquire(daemon).With("Protocol", "https").Run().Succeeded();
        Check.Equal("https", daemon.Leases(Key).Single()!["protocol"]!.GetValue<string>());
    }

    [Test]
    public void acquire__a_site_that_has_its_port__adopts_it()
    {
        using var daemon = new Daemon();
        daemon.WriteSites(Daemon.Site("Shop", 1, $"http *:{daemon.First + 7}:"));
        Check.Eventually(() => daemon.SitesOn(daemon.First + 7).Length == 1, "the site is seen");
        var result = Acquire(daemon).With("SiteName", "Shop").Run().Succeeded();
        Check.Equal(daemon.First + 7, result.Port);
        Check.Contains("taken over from the site's binding", result.At("highlight"));
    }

    [Test]
    public void acquire__its_port_taken_by_another_site__gets_another_and_says_who()
    {
        using var daemon = new Daemon();
        int port = Acquire(daemon).With("SiteName", "Shop").Run().Succeeded().Port;
        daemon.WriteSites(Daemon.Site("Ad hoc", 1, $"http *:{port}:"));
        Check.Eventually(() => daemon.SitesOn(port).Length == 1, "the other site is seen");
        var result = Acquire(daemon).With("SiteName", "Shop").Run().Succeeded();
        Check.True(result.Port != port, "the same port");
        Check.Contains($"Port {port}, which this key had, was taken by somebody else: IIS site 'Ad hoc' (http *:{port}:).", result.At("highlight"));
    }

    [Test]
    public void acquire__the_preferred_port_taken__says_who_has_it_and_why()
    {
        using var daemon = new Daemon();
        daemon.WriteSites(Daemon.Site("Ad hoc", 1, $"http *:{daemon.First}:"));
        Check.Eventually(() => daemon.SitesOn(daemon.First).Length == 1, "the site is seen");
        var result = Acquire(daemon).With("Prefer", $"{daemon.First}").Run().Succeeded();
        Check.Contains($"The preferred port {daemon.First} was skipped. ", result.At("highlight"));
        Check.Contains("Ad hoc", result.At("highlight"));
    }

    [Test]
    public void acquire__the_exact_port_taken__fails_and_says_who_has_it()
    {
        using var daemon = new Daemon();
        daemon.WriteSites(Daemon.Site("Ad hoc", 1, $"http *:{daemon.First}:"));
        Check.Eventually(() => daemon.SitesOn(daemon.First).Length == 1, "the site is seen");
        Check.Equal($"Port {daemon.First} is not free: IIS site 'Ad hoc' (http *:{daemon.First}:).", Acquire(daemon).With("Port", $"{daemon.First}").Run().Failed().Reason);
        Check.Equal(daemon.First + 1, Acquire(daemon).With("Port", $"{daemon.First + 1}").Run().Succeeded().Port);
    }

    [Test]
    public void acquire__in_the_ephemeral_range__warns()
    {
        var range = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split((char[])[' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToArray();
        using var daemon = new Daemon($"<pool name=\"default\" ports=\"{range[0]}-{range[0] + 99}\"/>");
        Check.Contains("lies in the range from which the system takes ports for outgoing connections", Acquire(daemon).Run().Succeeded().At("warning"));
        using var below = new Daemon();
        Check.Equal("", Acquire(below).Run().Succeeded().At("warning"));
    }

    [Test]
    public void acquire__a_hostile_site_name__sets_no_variable()
    {
        using var daemon = new Daemon();
        var name = "##octopus[setVariable name='UG9ydA==' value='MQ=='] * C#";
        daemon.WriteSites(Daemon.Site(name, 1, $"http *:{daemon.First}:"));
        Check.Eventually(() => daemon.SitesOn(daemon.First).Length == 1, "the site is seen");
        var refused = Acquire(daemon).With("Port", $"{daemon.First}").Run().Failed();
        Check.Equal(0, refused.Variables.Count);
        Check.Contains(name, refused.Reason);
        var skipped = Acquire(daemon).With("Prefer", $"{daemon.First}").Run().Succeeded();
        Check.Equal(daemon.LeasedPorts().Single(), skipped.Port);
        Check.Contains("= 'MQ=='] * C#".Replace("= ", "="), skipped.At("highlight"));
        Check.Equal("stdout-default", skipped.Messages[^1].Name);
    }

    [Test]
    public void acquire__endpoint_from_the_environment__is_used()
    {
        using var daemon = new Daemon();
        Acquire(daemon).With("Endpoint", "").Environment("BERTH_ENDPOINT", daemon.Endpoint).Run().Succeeded();
        Check.Equal(1, daemon.LeasedPorts().Length);
    }

    [Test]
    public void acquire__before_the_configuration_is_there__waits_for_it()
    {
        using var daemon = new Daemon(sites: null);
        var waiting = Acquire(daemon).With("Timeout", "60").Run(onLine: line =>
        {
            if (line.StartsWith("Waiting for Berth", StringComparison.Ordinal))
            {
                daemon.WriteSites(Daemon.Site("Shop", 1, $"http *:{daemon.First}:"));
            }
        }).Succeeded();
        Check.Contains("Waiting for Berth", waiting.Output);
        Check.True(waiting.Port != daemon.First, "the site's port was given");
    }

    [Test]
    public void acquire__the_configuration_never_there__fails_and_names_it()
    {
        using var daemon = new Daemon(sites: null);
        var refused = Acquire(daemon).With("Timeout", "1").Run().Failed();
        Check.Contains("iis", refused.Reason);
        Check.Contains("'berth status' says what it waits for", refused.Reason);
    }
}
