// SPDX-License-Identifier: MIT
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Berth.OctopusTests;

/// <summary>A real HTTP listener on loopback that takes down what comes, and answers with a status.</summary>
public sealed class HookServer : IDisposable
{
    private readonly HttpListener listener = new();

    public HookServer(int status)
    {
        var port = FreePort();
        Address = $"http://127.0.0.1:{port}/hook/?key=a%20b";
        listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        listener.Start();
        _ = Task.Run(async () =>
        {
            while (listener.IsListening)
            {
                var context = await listener.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                lock (Requests)
                {
                    Requests.Add(($"{context.Request.HttpMethod} {context.Request.RawUrl}", context.Request.ContentType, body.ToArray()));
                }
                context.Response.StatusCode = status;
                context.Response.Close();
            }
        });
    }

    public string Address { get; }
    public List<(string Line, string? ContentType, byte[] Body)> Requests { get; } = [];

    public static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    public void Dispose() => listener.Close();
}

/// <summary>config/examples/post-to-webhook.ps1; its sister for Bash is tests/examples/post_to_webhook.py.</summary>
public sealed class WebhookTests : IDisposable
{
    private const string Text = "Conflict 1f on port 80: Site \"D\u00e9j\u00e0\" & <!channel> \\ $(id) `id` binds http *:80: more than once.";
    private readonly TempFolder folder = new();
    private string AddressFile => folder.File_("webhook.txt");

    public void Dispose() => folder.Dispose();

    /// <returns>the exit status, what was printed</returns>
    private (int Status, string Printed) Post(string? address, string severity, params string[] arguments)
    {
        if (address != null)
        {
            File.WriteAllText(AddressFile, address);
        }
        var script = Path.Combine(Places.Root, "config/examples/post-to-webhook.ps1");
        var start = new ProcessStartInfo(Places.Dotnet, [Places.Own, "pwsh", "-NoProfile", "-NoLogo", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", script, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["BERTH_WEBHOOK_FILE"] = AddressFile;
        start.Environment["BERTH_EVENT_TEXT"] = Text;
        start.Environment["BERTH_EVENT_SEVERITY"] = severity;
        start.Environment["no_proxy"] = "*";
        using var process = Process.Start(start)!;
        process.StandardInput.Write("{\"the\":\"event\"}\n");
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, (output + errors.Result).Replace("\r", "").Trim());
    }

    private static string Machine => Environment.MachineName;

    [Test]
    public void slack__text_arrives_and_steers_nothing()
    {
        using var server = new HookServer(200);
        Check.Equal((0, ""), Post(server.Address + "\n", "error", "slack"));
        var (line, type, body) = server.Requests.Single();
        Check.Equal("POST /hook/?key=a%20b", line);
        Check.Equal("application/json; charset=utf-8", type);
        using var message = JsonDocument.Parse(body);
        var escaped = Text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
        Check.Equal($"[error] {Machine}: {escaped}", message.RootElement.GetProperty("text").GetString());
        Check.Equal(1, message.RootElement.EnumerateObject().Count());
    }

    [Test]
    public void no_form__is_slack_and_the_severity_is_a_sign()
    {
        foreach (var (severity, sign) in new[] { ("warning", "[warning] "), ("information", "[ok] ") })
        {
            using var server = new HookServer(200);
            Check.Equal((0, ""), Post(server.Address, severity));
            using var message = JsonDocument.Parse(server.Requests.Single().Body);
            Check.True(message.RootElement.GetProperty("text").GetString()!.StartsWith(sign, StringComparison.Ordinal), sign);
        }
    }

    [Test]
    public void teams__is_a_card_of_plain_text()
    {
        using var server = new HookServer(202);
        Check.Equal((0, ""), Post(server.Address, "error", "teams"));
        using var message = JsonDocument.Parse(server.Requests.Single().Body);
        Check.Equal("message", message.RootElement.GetProperty("type").GetString());
        var attachment = message.RootElement.GetProperty("attachments")[0];
        Check.Equal("application/vnd.microsoft.card.adaptive", attachment.GetProperty("contentType").GetString());
        var card = attachment.GetProperty("content");
        Check.Equal("AdaptiveCard 1.4", $"{card.GetProperty("type").GetString()} {card.GetProperty("version").GetString()}");
        var run = card.GetProperty("body")[0].GetProperty("inlines")[0];
        Check.Equal($"RichTextBlock TextRun [error] {Machine}: {Text}",
            $"{card.GetProperty("body")[0].GetProperty("type").GetString()} {run.GetProperty("type").GetString()} {run.GetProperty("text").GetString()}");
    }

    [Test]
    public void status_500__is_told()
    {
        using var server = new HookServer(500);
        var (status, printed) = Post(server.Address, "error", "slack");
        Check.Equal(1, status);
        Check.Contains("post-to-webhook: ", printed);
        Check.Contains("500", printed);
        Check.Lacks("key=a", printed); // the address is a secret
    }

    [Test]
    public void nobody_listens__is_told()
    {
        var (status, printed) = Post($"http://127.0.0.1:{HookServer.FreePort()}/", "error", "slack");
        Check.Equal(1, status);
        Check.Contains("post-to-webhook: Connection refused", printed);
    }

    [Test]
    public void used_wrongly__says_how()
    {
        Check.Equal((2, $"post-to-webhook: {AddressFile} is not there; it holds the webhook's address"), Post(null, "error", "slack"));
        Check.Equal((2, $"post-to-webhook: {AddressFile} is empty; it holds the webhook's address"), Post("", "error", "slack"));
        Check.Equal((2, "post-to-webhook: 'mail' is no form of message; slack or teams is accepted"), Post("http://127.0.0.1:1/", "error", "mail"));
    }
}
