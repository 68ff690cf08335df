// SPDX-License-Identifier: MIT
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Berth.OctopusTests;

/// <summary>A folder of its own, readable by everybody, removed in the end.</summary>
public sealed class TempFolder : IDisposable
{
    public TempFolder()
    {
        Path = Directory.CreateTempSubdirectory("berth-octopus-").FullName;
        File.SetUnixFileMode(Path, (UnixFileMode)Convert.ToInt32("755", 8));
    }

    public string Path { get; }
    public string File_(string name) => System.IO.Path.Combine(Path, name);
    public void Dispose() => Directory.Delete(Path, true);
}

/// <summary>A real berthd with a configuration, an endpoint and an applicationHost.config of its own.</summary>
public sealed class Daemon : IDisposable
{
    private static int s_pools;
    private readonly TempFolder _folder = new();
    private readonly System.Collections.Concurrent.ConcurrentQueue<string> _log = new();
    private readonly Process _process;
    private Socket? _socket;
    private StreamReader? _reader;

    /// <param name="pools">"FIRST" and "LAST" stand for the ports of <paramref name="size"/> that are this daemon's own</param>
    /// <param name="sites">the sites at first; null: there is no file yet</param>
    public Daemon(string pools = "<pool name=\"default\" ports=\"FIRST-LAST\"/>", int size = 40, string? sites = "", string more = "")
    {
        // below the ephemeral range, and apart from what other daemons of a run and other runs take
        First = 12000 + (Environment.ProcessId * 16 + Interlocked.Increment(ref s_pools)) % 400 * 45;
        var config = _folder.File_("berthd.config");
        File.WriteAllText(config, $"<berth><pools>{pools.Replace("FIRST", $"{First}").Replace("LAST", $"{First + size - 1}")}</pools>" +
            $"<iis config=\"{IisPath}\"/>{more}</berth>\n");
        if (sites != null)
        {
            WriteSites(sites);
        }
        Endpoint = _folder.File_("berth.sock");
        _process = Process.Start(new ProcessStartInfo(Places.Berthd,
            ["--config", config, "--endpoint", Endpoint, "--state", _folder.File_("state")]) { RedirectStandardError = true })!;
        _process.ErrorDataReceived += (_, line) => _log.Enqueue(line.Data ?? "");
        _process.BeginErrorReadLine();
        try
        {
            Host = Await(sites != null);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private string Await(bool ready)
    {
        Check.Eventually(() => _process.HasExited || Path.Exists(Endpoint), "the daemon serves");
        if (_process.HasExited)
        {
            throw new CheckFailed($"berthd ended: {string.Join('\n', _log)}");
        }
        Check.Eventually(Connect, "the daemon accepts");
        var host = Call("hello")["host"]!.GetValue<string>();
        if (ready)
        {
            Check.Eventually(() => Call("status")["sources"]!.AsArray().All(s => s!["state"]!.GetValue<string>() != "waiting"), "all sources are heard");
        }
        return host;
    }

    public int First { get; }
    public string Endpoint { get; }
    public string Host { get; }
    private string IisPath => _folder.File_("applicationHost.config");

    /// <summary>A site as applicationHost.config has it; bindings as "protocol *:8080:host".</summary>
    public static string Site(string name, int id, params string[] bindings)
    {
        var inner = string.Concat(bindings.Select(b => b.Split(' ', 2)).Select(b => $"<binding protocol=\"{b[0]}\" bindingInformation=\"{b[1]}\"/>"));
        return $"<site name=\"{System.Security.SecurityElement.Escape(name)}\" id=\"{id}\"><application path=\"/\"/><bindings>{inner}</bindings></site>";
    }

    /// <summary>Replaces the file at once, as IIS does.</summary>
    public void WriteSites(string sites)
    {
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration><system.applicationHost><sites>" + sites +
            "</sites></system.applicationHost></configuration>\n";
        File.WriteAllText(IisPath + ".new", text);
        File.Move(IisPath + ".new", IisPath, true);
    }

    private bool Connect()
    {
        _socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            _socket.Connect(new UnixDomainSocketEndPoint(Endpoint));
        }
        catch (SocketException)
        {
            _socket.Dispose(); // bound, and does not listen yet
            return false;
        }
        _reader = new StreamReader(new NetworkStream(_socket), new UTF8Encoding(false));
        return true;
    }

    /// <summary>Calls a method. Returns the result, or the error where there is one.</summary>
    public JsonNode Call(string method, object? parameters = null)
    {
        var request = JsonSerializer.Serialize(new { jsonrpc = "2.0", id = 1, method, @params = parameters ?? new { } });
        _socket!.Send(Encoding.UTF8.GetBytes(request + "\n"));
        var answer = JsonNode.Parse(_reader!.ReadLine()!)!;
        return answer["result"] ?? answer["error"]!;
    }

    public JsonArray Leases(string key) => Call("leases", new { key })["leases"]!.AsArray();

    /// <summary>The ports of all leases, ascending.</summary>
    public int[] LeasedPorts() =>
        [.. Call("leases")["leases"]!.AsArray().SelectMany(l => l!["ports"]!.AsArray()).Select(p => p!.GetValue<int>()).Order()];

    public string State(int port) => Call("who", new { port })["state"]!.GetValue<string>();

    /// <summary>The holders of the port's claims from IIS that are really there.</summary>
    public string[] SitesOn(int port) => [.. Call("who", new { port })["claims"]!.AsArray()
        .Where(c => c!["source"]!.GetValue<string>() == "iis" && c["lingering"] == null).Select(c => c!["holder"]!.GetValue<string>())];

    public void Dispose()
    {
        _socket?.Dispose();
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _folder.Dispose();
    }
}

/// <summary>An endpoint that answers as it is told, for what the real daemon never does.</summary>
public sealed class FakeDaemon : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    /// <param name="answer">is given each line and the connection; null to close it</param>
    public FakeDaemon(Func<string, Socket, byte[]?> answer)
    {
        Endpoint = _folder.File_("fake.sock");
        _listener.Bind(new UnixDomainSocketEndPoint(Endpoint));
        _listener.Listen(16);
        new Thread(() => Serve(answer)) { IsBackground = true }.Start();
    }

    public string Endpoint { get; }
    public MemoryStream Received { get; } = new();

    /// <summary>Answers each request with a result (or an error, beginning with "!") by its method.</summary>
    public static FakeDaemon Of(Dictionary<string, string> results) => new((line, _) =>
    {
        var request = JsonNode.Parse(line)!;
        var method = request["method"]!.GetValue<string>();
        var text = results.TryGetValue(method, out var found) ? found
            : $"!{{\"code\":-32601,\"message\":\"there is no method {method}\",\"data\":{{\"reason\":\"not_supported\"}}}}";
        var member = text.StartsWith('!') ? $"\"error\":{text[1..]}" : $"\"result\":{text}";
        return Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"id\":{request["id"]!.ToJsonString()},{member}}}\n");
    });

    private void Serve(Func<string, Socket, byte[]?> answer)
    {
        try
        {
            while (true)
            {
                var socket = _listener.Accept();
                new Thread(() => Talk(socket, answer)) { IsBackground = true }.Start();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // the test is over
        }
    }

    private void Talk(Socket socket, Func<string, Socket, byte[]?> answer)
    {
        var line = new List<byte>();
        var one = new byte[1];
        try
        {
            using (socket)
            {
                while (socket.Receive(one) == 1)
                {
                    lock (Received)
                    {
                        Received.WriteByte(one[0]);
                    }
                    if (one[0] != '\n')
                    {
                        line.Add(one[0]);
                        continue;
                    }
                    var bytes = answer(Encoding.UTF8.GetString([.. line]), socket);
                    line.Clear();
                    if (bytes == null)
                    {
                        return;
                    }
                    socket.Send(bytes);
                }
            }
        }
        catch (SocketException)
        {
            // the client went
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        _folder.Dispose();
    }
}
