// SPDX-License-Identifier: MIT
using System.Text.Json;

namespace Berth.OctopusTests;

public enum Language { PowerShell, Bash }

/// <summary>A packed step template: what Octopus would import.</summary>
public sealed class Template
{
    private Template(string path)
    {
        Path = path;
        Bytes = File.ReadAllBytes(path);
        Json = JsonDocument.Parse(Bytes).RootElement;
    }

    public string Path { get; }
    public byte[] Bytes { get; }
    public JsonElement Json { get; }
    public string Name => Json.GetProperty("Name").GetString()!;
    public string Body => Json.GetProperty("Properties").GetProperty("Octopus.Action.Script.ScriptBody").GetString()!;
    public string Syntax => Json.GetProperty("Properties").GetProperty("Octopus.Action.Script.Syntax").GetString()!;
    public IEnumerable<JsonElement> Parameters => Json.GetProperty("Parameters").EnumerateArray();

    public static Template[] All() =>
        [.. Directory.GetFiles(System.IO.Path.Combine(Places.Root, "octopus/templates"), "*.json").Order().Select(p => new Template(p))];

    public static Template Find(string step, Language language) =>
        new(System.IO.Path.Combine(Places.Root, "octopus/templates", $"berth-{step}{(language == Language.Bash ? "-bash" : "")}.json"));
}

/// <summary>Where things are; set from the command line.</summary>
public static class Places
{
    public static string Root { get; set; } = "";
    public static string Berthd { get; set; } = "";
    public static string Berth { get; set; } = "";
    public static string Module => System.IO.Path.Combine(Root, "octopus/Berth/Berth.psd1");
    public static string Own => Path.Combine(AppContext.BaseDirectory, "octopus-tests.dll");
    public static string Dotnet => Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
}
