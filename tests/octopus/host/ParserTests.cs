// SPDX-License-Identifier: MIT
namespace Berth.OctopusTests;

/// <summary>The parser that the other tests trust.</summary>
public sealed class ParserTests
{
    private const string Port = "##octopus[setVariable name='UG9ydA==' value='NDkyMTM=']";

    private static string Seen(string output) => string.Join(' ', ServiceMessageParser.ParseAll(output)
        .Select(m => m.Name + string.Concat(m.Values.OrderBy(v => v.Key).Select(v => $" {v.Key}={v.Value}"))));

    [Test] public void message__alone__is_read() => Check.Equal("setVariable name=Port value=49213", Seen(Port));
    [Test] public void message__amid_text__is_read() => Check.Equal("setVariable name=Port value=49213", Seen("before " + Port + " after\n"));
    [Test] public void message__without_values__is_read() => Check.Equal("stdout-highlight", Seen("##octopus[stdout-highlight]\n"));
    [Test] public void message__with_values_in_any_case__is_read() =>
        Check.Equal("49213", ServiceMessageParser.ParseAll(Port.Replace("value", "VALUE"))[0].Values["value"]);
    [Test] public void messages__on_two_lines__are_both_read() =>
        Check.Equal("setVariable name=Port value=49213 stdout-default", Seen(Port + "\r\n##octopus[stdout-default]\r\n"));
    [Test] public void message__that_is_none__is_passed_over() => Check.Equal("", Seen("## octopus[stdout-default]\n#octopus[x]\n##octopod[x]\n"));
    [Test] public void messages__two_on_a_line__only_the_first_counts() => Check.Equal("stdout-wait", Seen("##octopus[stdout-wait] " + Port));
    [Test] public void message__split_over_lines__is_read() =>
        Check.Equal("setVariable name=Port value=49213", Seen("##octopus[setVariable name='UG9ydA=='\n value='NDkyMTM=']\n"));
    [Test] public void message__never_ended__swallows_the_next() => Check.Equal("", Seen("##octopus[setVariable name='\n" + Port + "\n"));
    [Test] public void message__with_bad_base64__is_dropped() => Check.Equal("", Seen("##octopus[setVariable name='Port' value='4']"));
    [Test]
    public void berth__format_octopus__is_read()
    {
        using var daemon = new Daemon();
        var start = new System.Diagnostics.ProcessStartInfo(Places.Berth,
            ["--endpoint", daemon.Endpoint, "allocate", "key", "--count", "2", "--contiguous", "--format", "octopus", "--variable", "Web"]) { RedirectStandardOutput = true };
        using var process = System.Diagnostics.Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var ports = daemon.LeasedPorts();
        Check.Equal($"setVariable name=Web value={ports[0]} setVariable name=Web_1 value={ports[0]} setVariable name=Web_2 value={ports[1]}", Seen(output));
    }

    [Test] public void message__after_a_line_that_ends_with_a_hash__is_lost() => Check.Equal("", Seen("site C#\n##octopus[stdout-default]\n"));
}
