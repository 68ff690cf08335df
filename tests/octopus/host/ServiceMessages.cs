// SPDX-License-Identifier: MIT
using System.Text;
using System.Xml.Linq;

namespace Berth.OctopusTests;

/// <summary>A service message as Octopus understands it: a name and decoded values.</summary>
public sealed record ServiceMessage(string Name, IReadOnlyDictionary<string, string> Values);

/// <summary>
/// Finds service messages in standard output by Octopus's own rules: "##octopus" opens one wherever it
/// stands, "]" ends it, and the state survives the end of a line; what is between is read as the inside of
/// an XML tag whose attributes are base64 of UTF-8, and dropped without a word if it cannot be; only the
/// first message of a line counts.
/// </summary>
public sealed class ServiceMessageParser
{
    private const string Opening = "##octopus";
    private readonly StringBuilder _buffer = new();
    private State _state = State.Outside;

    public List<ServiceMessage> Messages { get; } = [];

    private enum State { Outside, Opening, Inside }

    /// <summary>Reads all of an output.</summary>
    public static List<ServiceMessage> ParseAll(string output)
    {
        var parser = new ServiceMessageParser();
        foreach (var line in output.Split('\n'))
        {
            parser.ParseLine(line.TrimEnd('\r'));
        }
        return parser.Messages;
    }

    public void ParseLine(string line)
    {
        foreach (var c in line)
        {
            if (Step(c))
            {
                return; // the rest of the line is not looked at
            }
        }
    }

    /// <returns>whether this character ended a message</returns>
    private bool Step(char c)
    {
        switch (_state)
        {
            case State.Outside:
                if (c == '#')
                {
                    _buffer.Append(c);
                    _state = State.Opening;
                }
                return false;
            case State.Opening:
                _buffer.Append(c);
                var soFar = _buffer.ToString();
                if (soFar == Opening)
                {
                    _buffer.Clear();
                    _state = State.Inside;
                }
                else if (!Opening.StartsWith(soFar, StringComparison.Ordinal))
                {
                    _buffer.Clear();
                    _state = State.Outside;
                }
                return false;
            default:
                if (c != ']')
                {
                    _buffer.Append(c);
                    return false;
                }
                Take(_buffer.ToString());
                _buffer.Clear();
                _state = State.Outside;
                return true;
        }
    }

    private void Take(string text)
    {
        try
        {
            var element = XElement.Parse("<" + text.Trim().TrimStart('[') + "/>");
            Messages.Add(new ServiceMessage(element.Name.LocalName, element.Attributes().ToDictionary(
                a => a.Name.LocalName, a => Encoding.UTF8.GetString(Convert.FromBase64String(a.Value)),
                StringComparer.OrdinalIgnoreCase)));
        }
        catch (Exception e) when (e is System.Xml.XmlException or FormatException)
        {
            // dropped, as Octopus does
        }
    }
}
