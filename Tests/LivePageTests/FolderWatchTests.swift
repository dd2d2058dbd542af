import Experiments
import Foundation
import Testing

@testable import LivePage

/// The list of a folder's runs.
@Suite struct FolderWatchTests {
    private let thread = ReadingThread()

    private func names(_ message: PageMessage?) throws -> [String] {
        try object(message?.parts.first)["runs"]?.list.compactMap {
            if case .string(let name)? = $0["name"] { name } else { nil }
        }.sorted() ?? []
    }

    @Test func onlyWhatHasChangedIsToldAgain() async throws {
        let folder = try TemporaryFolder()
        try folder.run("a") { try $0.record("loss", step: 3, value: 0.5) }
        try folder.run("b")
        let watch = FolderWatch(folder.url, on: thread, every: 0)
        let first = try #require(await watch.message(after: nil))
        #expect(try names(first) == ["a", "b"])
        let row = try #require(try object(first.parts.first)["runs"]?.list.first { $0["name"] == "a" })
        #expect(row["state"] == "done" && row["spark"] == [0.5] && row["last"]?.list.first?.list.first == "loss")
        #expect(await watch.message(after: first.version) == nil)
        try folder.run("c")
        let second = try #require(await watch.message(after: first.version))
        #expect(try names(second) == ["c"])
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent("a.eoss"))
        let third = try object(await watch.message(after: second.version)?.parts.first)
        #expect(third["gone"] == ["a"] && third["runs"] == [])
    }

    @Test func aFileThatCannotBeReadSaysWhy() async throws {
        let folder = try TemporaryFolder()
        try Data("garbage".utf8).write(to: folder.url.appendingPathComponent("bad.eoss"))
        let rows = try object(await FolderWatch(folder.url, on: thread).message(after: nil)?.parts.first)["runs"]
        #expect(rows?.list.first?["error"] == "not a run file: it is not an SQLite database")
    }

    @Test func aFolderThatIsNotThereYetIsSaidAndSeenWhenItIs() async throws {
        let folder = try TemporaryFolder()
        let inner = folder.url.appendingPathComponent("runs")
        let watch = FolderWatch(inner, on: thread, every: 0)
        let first = try #require(await watch.message(after: nil))
        #expect(try object(first.parts.first)["error"] != .null)
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        let second = try object(await watch.message(after: first.version)?.parts.first)
        #expect(second["error"] == .null)
    }

    @Test func nothingOutsideOfTheFolderIsShown() async throws {
        let folder = try TemporaryFolder()
        let other = try TemporaryFolder()
        let secret = try other.run("secret")
        let link = folder.url.appendingPathComponent("link.eoss")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: secret)
        try folder.run("own")
        let library = PageLibrary(folder.url, on: thread)
        #expect(library.file(of: "own") != nil)
        let names = [
            "link", "../\(other.url.lastPathComponent)/secret", secret.deletingPathExtension().path, "", "..", ".",
        ]
        for name in names + ["own\0", "none", String(repeating: "x", count: 300)] {
            #expect(library.file(of: name) == nil && library.watch(of: name) == nil, "\(name)")
        }
        let rows = try object(await library.list.message(after: nil)?.parts.first)["runs"]?.list
        let refused = rows?.first { $0["name"] == "link" }
        #expect(refused?["error"] == "cannot be read: it is a link that leads out of the folder")
    }

    @Test func theRunsOfASweepAreThereByFolderAndName() async throws {
        let folder = try TemporaryFolder()
        try folder.run("own")
        let names = ["lr=0.1", "lr=0.2"].map { "sweep/\($0)/net" } + ["sweep/whole"]
        for name in names { try folder.run(name, deeper: true) }
        try folder.run("sweep/lr=0.1/deeper/net", deeper: true)
        try folder.run(".hidden/net", deeper: true)
        let library = PageLibrary(folder.url, on: thread)
        #expect(try self.names(await library.list.message(after: nil)) == ["own"] + names)
        for name in names { #expect(library.file(of: name) != nil && library.watch(of: name) != nil, "\(name)") }
        for name in [
            "sweep/lr=0.1/deeper/net", ".hidden/net", "sweep", "sweep/", "/own", "sweep//whole", "sweep/../own",
            "./own", "sweep/./whole", "sweep/lr=0.3/net",
        ] { #expect(library.file(of: name) == nil, "\(name)") }
    }

    @Test func aFolderThatIsALinkIsNotLookedInto() async throws {
        let folder = try TemporaryFolder()
        let other = try TemporaryFolder()
        let secret = try other.run("inner/secret", deeper: true)
        try folder.run("sweep/net", deeper: true)
        let links = [
            ("away", other.url), ("sweep/away", secret.deletingLastPathComponent()), ("here", folder.url),
            ("again", folder.url.appendingPathComponent("sweep")),
        ]
        for (name, target) in links {
            try FileManager.default.createSymbolicLink(
                at: folder.url.appendingPathComponent(name), withDestinationURL: target)
        }
        try FileManager.default.createSymbolicLink(
            at: folder.url.appendingPathComponent("sweep/link.eoss"), withDestinationURL: secret)
        let library = PageLibrary(folder.url, on: thread)
        #expect(try names(await library.list.message(after: nil)) == ["sweep/link", "sweep/net"])
        for name in ["away/inner/secret", "sweep/away/secret", "here/sweep/net", "again/net", "sweep/link"] {
            #expect(library.file(of: name) == nil, "\(name)")
        }
        #expect(library.file(of: "sweep/net") != nil)
    }

    @Test func pagesBeyondTheLimitAreRefusedUntilOneIsClosed() {
        let streams = StreamCount(limit: 2)
        var places = [streams.place(), streams.place()]
        #expect(!places.contains { $0 == nil } && streams.place() == nil)
        places.removeLast()
        #expect(streams.place() != nil)
    }

    @Test func aStreamSendsEverythingThenWhatIsNewAndSignsOfLife() async throws {
        let place = try #require(StreamCount(limit: 1).place())
        let source: EventStream.Source = { seen in seen == nil ? PageMessage(version: 7, parts: ["{}", "[1]"]) : nil }
        let stream = EventStream(source: source, place: place, interval: 0.01, silence: 0.02)
        var iterator = stream.makeAsyncIterator()
        var text = ""
        while !text.hasSuffix(": still here\n\n") {
            text += String(decoding: try #require(try await iterator.nextBuffer(suggested: 10)), as: UTF8.self)
        }
        #expect(text == "retry: 2000\n\ndata: {}\n\ndata: [1]\n\n: still here\n\n")
    }

    @Test func aLongMessageIsSentInPieces() async throws {
        let place = try #require(StreamCount(limit: 1).place())
        let long = String(repeating: "λ", count: 50_000)
        let stream = EventStream(source: { _ in PageMessage(version: 1, parts: [long]) }, place: place)
        var iterator = stream.makeAsyncIterator()
        var bytes: [UInt8] = []
        while bytes.count < 100_000 {
            let piece = try #require(try await iterator.nextBuffer(suggested: 10))
            #expect(!piece.isEmpty && piece.count <= 16_384)
            bytes += piece
        }
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("retry: 2000\n\ndata: \(long)\n\n"))
    }

    @Test func aFigureIsServedAsAPictureOrNotAtAll() async throws {
        let folder = try TemporaryFolder()
        let url = try folder.run("a") { file in
            try file.addFigure(name: "a.svg", mime: "image/svg+xml", bytes: Data("<svg/>".utf8))
            try file.addFigure(name: "page.html", mime: "text/html", bytes: Data("<script>".utf8))
            try file.addFigure(name: "b.svg", mime: "image/svg+xml; x", bytes: Data("<svg/>".utf8))
            try file.addScript(path: "a.lua", source: "print(1)\n")
        }
        let library = PageLibrary(folder.url, on: thread)
        let figure = try await library.figure(url, "a.svg").get()
        #expect(figure.mime == "image/svg+xml" && figure.bytes == Data("<svg/>".utf8))
        for name in ["page.html", "b.svg", "none"] {
            guard case .failure = await library.figure(url, name) else {
                Issue.record("\(name) was served")
                continue
            }
        }
        #expect(try await library.script(url, 0).get().bytes == Data("print(1)\n".utf8))
        guard case .failure = await library.script(url, 1) else { throw CocoaError(.fileReadUnknown) }
    }
}
