// SPDX-License-Identifier: MIT
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Berth.OctopusTests;

/// <summary>The rules that the community library's own tests and guidelines have for a template.</summary>
public sealed class TemplateTests
{
    private static readonly Template[] All = Template.All();

    private static void ForEach(Action<Template> rule)
    {
        Check.Equal(8, All.Length, "templates");
        foreach (var template in All)
        {
            try
            {
                rule(template);
            }
            catch (CheckFailed e)
            {
                throw new CheckFailed($"{Path.GetFileName(template.Path)}: {e.Message}");
            }
        }
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    [Test]
    public void files__no_mark_no_other_files() => ForEach(t =>
    {
        Check.True(t.Bytes is not [0xef, 0xbb, 0xbf, ..], "begins with a byte order mark");
        Check.Equal(All.Length, Directory.GetFileSystemEntries(Path.GetDirectoryName(t.Path)!).Length, "files in templates/");
    });

    [Test]
    public void ids__have_the_form_and_are_unique() => ForEach(t =>
    {
        var id = Text(t.Json, "Id");
        Check.True(Regex.IsMatch(id, "^.{8}-.{4}-.{4}-.{4}-.{12}$") && Guid.TryParse(id, out _), $"Id {id}");
        Check.True(id is not "00000000-0000-0000-0000-000000000000" and not "abcdef00-ab00-cd00-ef00-000000abcdef", "a sample's Id");
        Check.Equal(1, All.Count(o => Text(o.Json, "Id") == id), "templates with this Id");
    });

    [Test]
    public void ids__are_those_that_were_published() => Check.Equal(
        File.ReadAllText(Path.Combine(Places.Root, "tests/octopus/published-ids.txt")).Trim(),
        string.Join('\n', All.Select(t => $"{Text(t.Json, "Id")} {t.Name}")));

    [Test]
    public void names__noun_verb_unique_and_the_files() => ForEach(t =>
    {
        Check.True(Regex.IsMatch(t.Name, @"^Berth - [A-Z][a-z]+( [A-Z][a-z]+)+( \(Bash\))?$") && t.Name.Length <= 200, t.Name);
        Check.Equal(1, All.Count(o => o.Name == t.Name), "templates of this name");
        Check.Equal(Regex.Replace(t.Name.ToLowerInvariant(), "[^a-z]+", "-").Trim('-'), Path.GetFileNameWithoutExtension(t.Path), "file");
    });

    [Test]
    public void members__are_those_of_the_library() => ForEach(t =>
    {
        Check.Equal("Octopus.Script", Text(t.Json, "ActionType"));
        Check.Equal("iis", Text(t.Json, "Category"));
        Check.True(t.Json.GetProperty("Version").GetInt32() >= 1, "Version");
        Check.True(Text(t.Json, "LastModifiedBy") != "", "LastModifiedBy");
        Check.True(DateTime.TryParse(Text(t.Json.GetProperty("$Meta"), "ExportedAt"), out _), "$Meta.ExportedAt");
        Check.Equal("ActionTemplate", Text(t.Json.GetProperty("$Meta"), "Type"));
        Check.Equal(JsonValueKind.Null, t.Json.GetProperty("CommunityActionTemplateId").ValueKind);
        Check.Equal(0, t.Json.GetProperty("Packages").GetArrayLength());
        Check.True(Text(t.Json, "Description").Length > 80, "Description");
        Check.Equal("Inline", Text(t.Json.GetProperty("Properties"), "Octopus.Action.Script.ScriptSource"));
        Check.Equal(t.Name.EndsWith("(Bash)", StringComparison.Ordinal) ? "Bash" : "PowerShell", t.Syntax);
    });

    [Test]
    public void parameters__are_prefixed_explained_and_have_defaults() => ForEach(t =>
    {
        var prefix = "Berth." + t.Name.Split(' ')[2] + ".";
        var seen = new HashSet<string>();
        foreach (var p in t.Parameters)
        {
            var name = Text(p, "Name");
            Check.True(name.StartsWith(prefix, StringComparison.Ordinal) && Regex.IsMatch(name, @"^[A-Za-z.]+$"), name);
            Check.True(seen.Add(name) & seen.Add(Text(p, "Id")) & Guid.TryParse(Text(p, "Id"), out _), $"{name}: unique name and Id");
            Check.True(Text(p, "Label") != "" && Text(p, "HelpText").Length > 10, $"{name}: label and help");
            Check.True(p.GetProperty("DefaultValue").ValueKind is JsonValueKind.String or JsonValueKind.Null, $"{name}: default");
            CheckControl(p, name);
        }
    });

    private static void CheckControl(JsonElement parameter, string name)
    {
        var settings = parameter.GetProperty("DisplaySettings");
        var control = Text(settings, "Octopus.ControlType");
        var value = parameter.GetProperty("DefaultValue").GetString() ?? "";
        Check.True(control is "SingleLineText" or "Checkbox" or "Select", $"{name}: control {control}");
        if (control == "Checkbox")
        {
            Check.True(value is "True" or "False", $"{name}: a check box is True or False");
        }
        if (control == "Select")
        {
            var values = Text(settings, "Octopus.SelectOptions").Split('\n').Select(o => o.Split('|')).ToArray();
            Check.True(values.All(o => o.Length == 2 && o[1] != ""), $"{name}: options VALUE|LABEL");
            Check.True(values.Any(o => o[0] == value), $"{name}: the default is one of the options");
        }
    }

    [Test]
    public void parameters__each_is_read_and_no_other_is() => ForEach(t =>
    {
        var prefix = "Berth." + t.Name.Split(' ')[2];
        var read = Regex.Matches(t.Body, @"\$prefix\.(?<n>[A-Za-z]+)|\$Prefix\.(?<n>[A-Za-z]+)").Select(m => m.Groups["n"].Value).ToHashSet();
        // read through tables
        read.UnionWith(Regex.Matches(t.Body, @"@\('[a-z]+', '(?<n>[A-Za-z]+)'").Select(m => m.Groups["n"].Value));
        read.UnionWith(Regex.Matches(t.Body, @"\b[a-z]+=(?<n>Generation|Pool|Protocol|Ttl)\b").Select(m => m.Groups["n"].Value));
        foreach (var name in t.Parameters.Select(p => Text(p, "Name")[(prefix.Length + 1)..]))
        {
            Check.True(read.Contains(name), $"{name} is never read");
        }
    });

    [Test]
    public void bodies__are_whole() => ForEach(t =>
    {
        Check.Lacks("<include", t.Body);
        Check.Lacks("\r", t.Body);
        Check.True(t.Body.All(c => c is '\n' or (>= ' ' and <= '~')), "a body is printable ASCII");
        Check.True(!Regex.IsMatch(t.Body, @"https?://"), "a body names no host");
    });
}
