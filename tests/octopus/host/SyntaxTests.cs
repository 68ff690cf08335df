// SPDX-License-Identifier: MIT
using System.Management.Automation.Language;
using System.Reflection;

namespace Berth.OctopusTests;

/// <summary>
/// Holds the scripts to what Windows PowerShell 5.1 has. There is none here to run them, so that they are read with PowerShell's
/// own parser and looked up: syntax by the kinds of its nodes, types and their members in the reference assemblies
/// of .NET Framework 4.5 (the least for 5.1) and of PowerShell 5.1, commands and their parameters in a list.
/// </summary>
public sealed class SyntaxTests
{
    private static IEnumerable<string> Scripts => Directory.GetFiles(Path.Combine(Places.Root, "octopus"), "*.ps*1", SearchOption.AllDirectories)
        .Concat(Directory.GetFiles(Path.Combine(Places.Root, "octopus"), "*.psm1", SearchOption.AllDirectories))
        .Concat(Directory.GetFiles(Path.Combine(Places.Root, "config/examples"), "*.ps1")).Distinct().Order();

    private static readonly string OperatorScript = Path.Combine(Places.Root, "scripts", "windows-verify.ps1");

    private static List<string> Findings(string text, bool forOperators = false)
    {
        var ast = Parser.ParseInput(text, out _, out var errors);
        var findings = errors.Select(e => $"{e.Extent.StartLineNumber}: {e.Message}").ToList();
        findings.AddRange(ast.FindAll(_ => true, true).Select(node => (node, finding: Desktop51.Look(node, forOperators)))
            .Where(f => f.finding != null).Select(f => $"{f.node.Extent.StartLineNumber}: {f.finding}: {f.node.Extent.Text.Split('\n')[0]}"));
        return findings;
    }

    [Test]
    public void scripts__have_nothing_that_5_1_lacks()
    {
        Check.True(Scripts.Count() >= 8, "the scripts are found");
        var all = Scripts.SelectMany(path => Findings(File.ReadAllText(path)).Select(f => $"{path}:{f}")).ToArray();
        Check.True(all.Length == 0, string.Join('\n', all));
    }

    [Test]
    public void bodies__have_nothing_that_5_1_lacks()
    {
        foreach (var template in Template.All().Where(t => t.Syntax == "PowerShell"))
        {
            var all = Findings(template.Body);
            Check.True(all.Count == 0, $"{template.Name}: {string.Join('\n', all)}");
        }
    }

    [Test]
    public void scripts__are_ascii()
    {
        foreach (var path in Scripts)
        {
            Check.True(File.ReadAllBytes(path).All(b => b < 128 && b != '\r'), $"{path}: 5.1 reads a file without a mark as ANSI");
        }
    }

    [Test]
    public void operator_script__has_nothing_that_5_1_lacks()
    {
        Check.Equal("", string.Join('\n', Findings(File.ReadAllText(OperatorScript), forOperators: true)));
        Check.True(File.ReadAllBytes(OperatorScript).All(b => b < 128 && b != '\r'), "5.1 reads a file without a mark as ANSI");
        Check.True(Findings("Get-Service -UserName x", forOperators: true).Count > 0, "a parameter of 7 is found");
        Check.True(Findings("Get-Service -Name x").Count > 0, "other scripts do without");
    }

    [Test]
    public void checker__finds_what_5_1_lacks()
    {
        foreach (var bad in new[]
        {
            "$a ? 1 : 2", "$a ?? 1", "$a ??= 1", "${a}?.Length", "${a}?[0]", "Get-Location && Get-Location", "Get-Location || Get-Location",
            "Get-Location &", "function f { clean { } }", "1..2 | ForEach-Object -Parallel { }", "ConvertFrom-Json -AsHashtable -InputObject ''",
            "ConvertTo-Json -EscapeHandling 1 -InputObject 1", "Join-String", "Get-Error", "Test-Json ''", "netsh x", "$x = $IsWindows", "$IsLinux",
            "[System.Text.Json.JsonSerializer]::Serialize(1)", "[System.IO.File]::ReadAllTextAsync('x')", "[System.OperatingSystem]::IsWindows()",
            "[string]::Join(',', 1).ReadExactly(1)", "New-Object System.Threading.Channels.Channel", "[System.Math]::Clamp(1, 2, 3)",
            "[System.IO.Pipes.PipeOptions]::CurrentUserOnly", "1uy", "[int]::TryParse(", "& $command x", "iex 'x'", "$pipe.Connect()",
        })
        {
            Check.True(Findings(bad).Count > 0, $"not found: {bad}");
        }
    }

    [Test]
    public void checker__passes_what_5_1_has() => Check.Equal("", string.Join('\n', Findings(
        "[System.Math]::Max(1, 2); $x = New-Object System.IO.MemoryStream; $x.Write($a, 0, 1); ConvertTo-Json -InputObject $a -Compress -Depth 3; $pipe.Connect(5)")));
}

/// <summary>What Windows PowerShell 5.1 has.</summary>
public static class Desktop51
{
    /// <summary>Commands and their parameters in 5.1, as far as scripts may use them; Octopus's functions.</summary>
    private static readonly Dictionary<string, string> Commands = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Add-Member"] = "MemberType Name Value",
        ["ConvertFrom-Json"] = "InputObject",
        ["ConvertTo-Json"] = "InputObject Compress Depth",
        ["Export-ModuleMember"] = "Function",
        ["Get-Location"] = "",
        ["Join-Path"] = "Path ChildPath",
        ["New-Object"] = "TypeName ArgumentList Property",
        ["Test-Path"] = "LiteralPath",
        ["Write-Host"] = "Object",
        ["Fail-Step"] = "message",
        ["New-OctopusArtifact"] = "path name",
        ["Set-OctopusVariable"] = "name value sensitive",
        ["Write-Highlight"] = "message",
        ["Write-Warning"] = "message",
        // of the webhook in config/examples
        ["Get-Content"] = "literalpath totalcount",
        ["Invoke-RestMethod"] = "method uri body contenttype timeoutsec",
    };

    /// <summary>What only the script for operators may use besides.</summary>
    private static readonly Dictionary<string, string> OperatorCommands = new(StringComparer.OrdinalIgnoreCase)
    {
        ["ForEach-Object"] = "", ["Where-Object"] = "", ["Out-String"] = "",
        ["Get-Acl"] = "LiteralPath",
        ["Get-Command"] = "Name ErrorAction",
        ["Get-ItemProperty"] = "LiteralPath",
        ["Get-LocalGroupMember"] = "SID",
        ["Get-NetTCPConnection"] = "State",
        ["Get-Service"] = "Name",
        ["Get-WinEvent"] = "FilterHashtable MaxEvents",
        ["Select-Object"] = "First",
        ["Sort-Object"] = "Unique",
        ["Start-Sleep"] = "Milliseconds",
        ["logman.exe"] = "ets", ["netsh.exe"] = "", ["sc.exe"] = "",
    };

    /// <summary>Variables that PowerShell 7 made.</summary>
    private static readonly HashSet<string> NewVariables = new(["IsWindows", "IsLinux", "IsMacOS", "IsCoreCLR", "EnabledExperimentalFeatures", "PSStyle"], StringComparer.OrdinalIgnoreCase);

    private static readonly MetadataLoadContext Context = Load(out s_types);
    private static readonly Dictionary<string, Type> s_types;
    private static readonly HashSet<string> s_methods = [.. s_types.Values.Where(t => t.IsPublic || t.IsNestedPublic).SelectMany(t => t.GetMethods()).Select(m => m.Name.ToLowerInvariant())];

    private static MetadataLoadContext Load(out Dictionary<string, Type> types)
    {
        string Folder(string key) => typeof(Desktop51).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
        var files = Directory.GetFiles(Folder("NetFramework"), "*.dll").Concat(Directory.GetFiles(Folder("PowerShellStandard"), "*.dll")).ToArray();
        var context = new MetadataLoadContext(new PathAssemblyResolver(files), "mscorlib");
        types = new(StringComparer.OrdinalIgnoreCase);
        // what a PowerShell 5.1 has loaded without being asked
        foreach (var name in new[] { "mscorlib", "System", "System.Core", "System.Management.Automation" })
        {
            foreach (var type in context.LoadFromAssemblyName(name).GetExportedTypes())
            {
                types.TryAdd(type.FullName!, type);
            }
        }
        return context;
    }

    /// <summary>PowerShell's short names for types.</summary>
    private static readonly Dictionary<string, string> Accelerators = new(StringComparer.OrdinalIgnoreCase)
    {
        ["string"] = "System.String", ["int"] = "System.Int32", ["long"] = "System.Int64", ["byte"] = "System.Byte", ["char"] = "System.Char",
        ["bool"] = "System.Boolean", ["datetime"] = "System.DateTime", ["hashtable"] = "System.Collections.Hashtable", ["type"] = "System.Type",
        ["array"] = "System.Array", ["switch"] = "System.Management.Automation.SwitchParameter", ["void"] = "System.Void", ["ref"] = "System.Management.Automation.PSReference",
        ["scriptblock"] = "System.Management.Automation.ScriptBlock",
    };

    /// <summary>Attributes; PowerShell finds them without the ending "Attribute".</summary>
    private static readonly HashSet<string> Attributes = new(
        ["CmdletBinding", "Parameter", "OutputType", "ValidateRange", "ValidateSet", "ValidateCount", "AllowEmptyString"], StringComparer.OrdinalIgnoreCase);

    private static Type? Find(ITypeName name)
    {
        var text = name.FullName.Replace("[]", "", StringComparison.Ordinal);
        return s_types.GetValueOrDefault(Accelerators.GetValueOrDefault(text, text)) ?? s_types.GetValueOrDefault("System." + text);
    }

    /// <returns>what the node has that 5.1 lacks, or null</returns>
    public static string? Look(Ast node, bool forOperators = false) => node switch
    {
        TernaryExpressionAst => "a ternary",
        PipelineChainAst => "a pipeline chain",
        BinaryExpressionAst { Operator: TokenKind.QuestionQuestion } => "a ??",
        AssignmentStatementAst { Operator: TokenKind.QuestionQuestionEquals } => "a ??=",
        MemberExpressionAst { NullConditional: true } => "a ?.",
        IndexExpressionAst { NullConditional: true } => "a ?[",
        PipelineAst { Background: true } => "a background pipeline",
        NamedBlockAst { BlockKind: TokenKind.Clean } => "a clean block",
        ConstantExpressionAst { StaticType: var type } and not StringConstantExpressionAst when type != typeof(int) && type != typeof(long) && type != typeof(double) => "a number with a new suffix",
        VariableExpressionAst variable when NewVariables.Contains(variable.VariablePath.UserPath) => "a variable of PowerShell 7",
        TypeExpressionAst type when Find(type.TypeName) == null => "an unknown type",
        TypeConstraintAst type when Find(type.TypeName) == null => "an unknown type",
        AttributeAst attribute when !Attributes.Contains(attribute.TypeName.FullName) => "an unknown attribute",
        MemberExpressionAst member => Member(member),
        CommandAst command => Command(command, forOperators),
        _ => null,
    };

    private static string? Member(MemberExpressionAst member)
    {
        if (member.Member is not StringConstantExpressionAst { Value: var name })
        {
            return "a member by a computed name";
        }
        if (member.Expression is TypeExpressionAst { TypeName: var type } && member.Static)
        {
            var found = Find(type);
            return found == null ? null // told already
                : found.GetMember(name, MemberTypes.All, BindingFlags.Static | BindingFlags.Public | BindingFlags.IgnoreCase | BindingFlags.FlattenHierarchy).Length == 0 ? "an unknown static member" : null;
        }
        if (member is InvokeMemberExpressionAst { Arguments: null or { Count: 0 } } && name.Equals("Connect", StringComparison.OrdinalIgnoreCase))
        {
            return "a Connect without a limit spins for ever";
        }
        // of what type is not known; that any type of 5.1 has a method of that name is
        return member is InvokeMemberExpressionAst && !member.Static && !s_methods.Contains(name.ToLowerInvariant()) ? "an unknown method" : null;
    }

    /// <summary>Commands by a computed name that are in order: dot-sourcing the client, script blocks that functions are given,
    /// the program berth.</summary>
    private static bool IsKnown(string text, bool forOperators) =>
        text is "& $Work $connection" or ". (Join-Path $PSScriptRoot 'BerthClient.ps1')" || (forOperators && text is "& $Work" or ". $client" or "& $Berth @arguments");

    private static string? Command(CommandAst command, bool forOperators)
    {
        var name = command.GetCommandName();
        if (name == null)
        {
            return IsKnown(command.Extent.Text, forOperators) ? null : "a command by a computed name";
        }
        if (Functions(command).Contains(name))
        {
            return null;
        }
        string? parameters = null;
        if (!Commands.TryGetValue(name, out parameters) && !(forOperators && OperatorCommands.TryGetValue(name, out parameters)))
        {
            return "an unknown command";
        }
        var unknown = command.CommandElements.OfType<CommandParameterAst>().FirstOrDefault(p => !parameters!.Split(' ').Contains(p.ParameterName, StringComparer.OrdinalIgnoreCase));
        if (unknown != null)
        {
            return $"an unknown parameter -{unknown.ParameterName}";
        }
        if (name.Equals("New-Object", StringComparison.OrdinalIgnoreCase) && command.CommandElements[1] is StringConstantExpressionAst { Value: var type } &&
            !type.Equals("PSObject", StringComparison.OrdinalIgnoreCase) && !type.Equals("byte[]", StringComparison.OrdinalIgnoreCase))
        {
            return s_types.ContainsKey(type) ? null : "an unknown type";
        }
        return null;
    }

    private static HashSet<string>? s_own;

    /// <summary>The functions of all scripts, and those of the script at hand.</summary>
    private static HashSet<string> Functions(Ast node)
    {
        s_own ??= [.. Directory.GetFiles(Path.Combine(Places.Root, "octopus"), "*.ps*1", SearchOption.AllDirectories)
            .Concat(Directory.GetFiles(Path.Combine(Places.Root, "scripts"), "*.ps1"))
            .Concat(Directory.GetFiles(Path.Combine(Places.Root, "config/examples"), "*.ps1"))
            .SelectMany(path => Parser.ParseFile(path, out _, out _).FindAll(a => a is FunctionDefinitionAst, true)).Select(f => ((FunctionDefinitionAst)f).Name)];
        return s_own;
    }
}
