import Foundation
import Testing

/// Chromium without a window, told what to do through a pipe.
final class Browser {
    /// Where it is; nil where there is none.
    static let path = ["chromium", "chromium-browser", "google-chrome"].lazy
        .map { "/usr/bin/\($0)" }.first { FileManager.default.isExecutableFile(atPath: $0) }

    private let process = Process()
    private let (commands, answers): (FileHandle, FileHandle)
    private var buffer = Data()
    private var number = 0
    private var session: String?

    /// - Parameter folder: for its profile.
    init(in folder: URL) throws {
        let names = ["commands", "answers"].map { folder.appendingPathComponent($0).path }
        for name in names { try #require(mkfifo(name, 0o600) == 0) }
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        // It reads from descriptor 3 and writes to descriptor 4.
        process.arguments =
            [
                "-c",
                """
                exec "$0" --headless=new --no-sandbox --disable-gpu --no-first-run --user-data-dir="$1" \
                --remote-debugging-pipe 3<"$2" 4>"$3" 2>/dev/null
                """,
                try #require(Self.path), folder.appendingPathComponent("profile").path,
            ] + names
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        // For both, so that opening waits for nobody.
        let descriptors = names.map { Foundation.open($0, O_RDWR | O_CLOEXEC) }
        commands = FileHandle(fileDescriptor: descriptors[0], closeOnDealloc: true)
        answers = FileHandle(fileDescriptor: descriptors[1], closeOnDealloc: true)
        let target = try call("Target.createTarget", ["url": "about:blank"])["targetId"] as? String ?? ""
        session = try call("Target.attachToTarget", ["targetId": target, "flatten": true])["sessionId"] as? String
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
    }

    @discardableResult
    func call(_ method: String, _ parameters: [String: Any] = [:]) throws -> [String: Any] {
        number += 1
        var message: [String: Any] = ["id": number, "method": method, "params": parameters]
        message["sessionId"] = session
        commands.write(try JSONSerialization.data(withJSONObject: message) + [0])
        let end = Date().addingTimeInterval(60)
        while true {
            while let zero = buffer.firstIndex(of: 0) {
                let text = buffer[buffer.startIndex..<zero]
                buffer = Data(buffer[buffer.index(after: zero)...])
                guard let answer = try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any],
                    answer["id"] as? Int == number
                else { continue }
                return try #require(answer["result"] as? [String: Any], "\(method): \(answer)")
            }
            var waiting = pollfd(fd: answers.fileDescriptor, events: Int16(POLLIN), revents: 0)
            try #require(Date() < end, "no answer to \(method)")
            if poll(&waiting, 1, 500) == 1 { buffer += answers.availableData }
        }
    }

    /// Opens a page in a window of this size.
    func open(_ address: String, width: Int, height: Int) throws {
        try call(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600])
        // An address that differs in what follows # alone would not be loaded anew.
        try call("Page.navigate", ["url": "about:blank"])
        try call("Page.navigate", ["url": address])
    }

    /// The value of an expression of the page's language.
    func value(_ expression: String) throws -> Any? {
        let answer = try call("Runtime.evaluate", ["expression": expression, "returnByValue": true])
        return (answer["result"] as? [String: Any])?["value"]
    }

    /// Waits until the expression is true.
    func expect(_ expression: String) throws {
        let end = Date().addingTimeInterval(30)
        while try value(expression) as? Bool != true {
            let seen = try value("document.body.innerText") ?? ""
            try #require(Date() < end, "\(expression): \(seen)")
            usleep(50_000)
        }
    }

    /// The window as a PNG file.
    func picture() throws -> Data {
        let text = try call("Page.captureScreenshot")["data"] as? String
        return try #require(text.flatMap { Data(base64Encoded: $0) })
    }
}
