import Experiments
import Foundation
import Testing

/// `eoss serve` and `eoss run --serve`, asked by plain sockets.
@Suite struct LivePageTests {
    private static func finishedRun(in folder: borrowing RunsFolder) throws {
        try folder.run("done") { file in
            for step in 0...20 { try file.record("loss", step: step, value: 1 / Double(step + 1)) }
            try file.addScript(path: "a.lua", source: "print('<b>')\n")
            try file.addFigure(name: "a b.svg", mime: "image/svg+xml", bytes: Data("<svg/>".utf8))
        }
    }

    @Test func thePageListsRunsAndShowsWhatIsInThem() throws {
        let folder = try RunsFolder()
        try Self.finishedRun(in: folder)
        let server = try PageServer([folder.runs, "--port", "0"])
        let page = try server.get("/")
        #expect(page.status == 200 && page.body.contains("<title>eoss</title>"))
        for header in ["default-src 'none'", "X-Content-Type-Options: nosniff", "Cache-Control: no-store"] {
            #expect(page.head.contains(header), "\(page.head)")
        }
        let head = try server.get("/", method: "HEAD")
        #expect(
            head.status == 200 && head.body.isEmpty && head.head.contains("Content-Length: \(page.body.utf8.count)"))
        #expect(try server.get("/api/runs").body.contains("\"name\":\"done\""))
        #expect(try server.get("/api/runs/done").body.contains("\"count\":21"))
        #expect(
            try server.get("/api/runs/done/series?name=loss&from=1&to=3").body
                == "{\"count\":3,\"s\":[1,2,3],\"v\":[0.5,0.3333333333333333,0.25]}")
        let script = try server.get("/api/runs/done/scripts/0")
        #expect(script.body == "print('<b>')\n" && script.head.contains("Content-Type: text/plain"))
        let figure = try server.get("/api/runs/done/figures/a%20b.svg")
        #expect(figure.body == "<svg/>" && figure.head.contains("image/svg+xml") && figure.head.contains("sandbox"))
        for path in ["/api/runs/none", "/api/runs/done/series?name=none", "/x", "/api/runs/..%2F..%2Fetc%2Fpasswd"] {
            #expect(try server.get(path).status == 404, "\(path)")
        }
        #expect(try server.get("/../../../../etc/passwd").status == 404)
    }

    @Test func othersThanThePageAreRefused() throws {
        let folder = try RunsFolder()
        try Self.finishedRun(in: folder)
        let server = try PageServer([folder.runs, "--port", "0"])
        #expect(try server.get("/", host: "evil.example").status == 403)
        #expect(try server.get("/api/runs", ["Origin: http://evil.example"]).status == 403)
        #expect(try server.get("/api/runs", ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"]).status == 403)
        let post = try server.get("/api/runs", method: "POST", ["Content-Length: 0"])
        #expect(post.status == 405 && post.head.contains("Allow: GET, HEAD"))
        let foreign = try server.get("/", host: "localhost:1")
        #expect(foreign.status == 403 && foreign.body.contains("ssh -L \(server.port):127.0.0.1:\(server.port)"))
        #expect(try server.get("/", host: "localhost:\(server.port)").status == 200)
    }

    @Test func aStreamTellsWhatAnotherProcessWrites() throws {
        let folder = try RunsFolder()
        let file = try RunFile.create(name: "live", in: URL(fileURLWithPath: folder.runs))
        try file.record("loss", step: 0, value: 4)
        try file.commit()
        let server = try PageServer([folder.runs, "--port", "0"])
        let (list, run) = (try PageClient(port: server.port), try PageClient(port: server.port))
        try list.send("GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n\r\n")
        try run.send("GET /api/runs/live/stream HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n\r\n")
        try run.expect("\"full\":true")
        try list.expect("\"state\":\"running\"")
        try file.record("loss", step: 1, value: 0.375)
        try file.commit()
        try run.expect("\"s\":[1],\"v\":[0.375]")
        try list.expect("\"value\":0.375")
        try file.close()
        try run.expect("\"state\":\"done\"")
        try list.expect("\"state\":\"done\"")
    }

    /// They take a byte, and no more: nobody waits for them, and the page is there for others.
    @Test func aHundredSlowReadersHoldNobodyUp() throws {
        let folder = try RunsFolder()
        let file = try RunFile.create(name: "live", in: URL(fileURLWithPath: folder.runs))
        try file.record("loss", step: 0, value: 1)
        try file.commit()
        let server = try PageServer([folder.runs, "--port", "0"])
        let slow = try (0..<100).map { number in
            let client = try PageClient(port: server.port)
            let path = number % 2 == 0 ? "/api/stream" : "/api/runs/live/stream"
            try client.send("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n\r\n")
            #expect(client.hear(1))
            return client
        }
        for step in 1...2000 { try file.record("loss", step: step, value: Double(step)) }
        try file.commit()
        #expect(RunFile.locked.isEmpty)
        let quick = try PageClient(port: server.port)
        try quick.send("GET /api/runs/live/stream HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n\r\n")
        try quick.expect("\"count\":2001")
        #expect(slow.allSatisfy { $0.hear(1) })
        try file.close()
        try quick.expect("\"state\":\"done\"")
    }

    @Test func aPortThatIsTakenIsSaid() throws {
        let folder = try RunsFolder()
        try Self.finishedRun(in: folder)
        let first = try PageServer([folder.runs, "--port", "0"])
        let second = try PageServer([folder.runs, "--port", "\(first.port)"])
        #expect(second.port != first.port)
        #expect(try second.get("/api/runs/done").status == 200)
        second.end()
        let said = String(decoding: second.errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(said.contains("eoss: port \(first.port) is taken: the page has port \(second.port)\n"))
    }

    @Test(arguments: [
        (["serve", "/no/such/folder"], "there is no folder '/no/such/folder'"),
        (["serve", "--port", "70000"], "70000"),
        (["run", "a.lua", "--serve", "70000"], "70000"),
    ])
    func wrongUsageIsSaid(arguments: [String], message: String) throws {
        let result = try EossProgram.run(arguments)
        #expect(result.status == 2 && result.errors.contains(message), "\(result.errors)")
    }

    @Test(arguments: [["--serve"], ["--serve", "0"]])
    func thePageOfARunEndsWithIt(option: [String]) throws {
        let folder = try RunsFolder()
        let script = try folder.write("print('there') io.read()", to: "s.lua")
        let process = Process()
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        process.executableURL = EossProgram.executable
        process.arguments = ["run"] + option + [script, "--trust", "--out", folder.runs]
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, errors)
        try process.run()
        #expect(!output.fileHandleForReading.availableData.isEmpty)
        let said = String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self)
        let port = try #require(said.firstMatch(of: /live page: http:\/\/127\.0\.0\.1:(\d+)\//)?.output.1, "\(said)")
        let client = try PageClient(port: try #require(UInt16(port)))
        try client.send("GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n")
        try client.expect("\"runs\":[]")
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        while client.hear() {}
        // It gives way to everything, at its end too.
        let end = Date().addingTimeInterval(30)
        while (try? PageClient(port: try #require(UInt16(port)))) != nil {
            try #require(Date() < end)
            usleep(20_000)
        }
    }
}
