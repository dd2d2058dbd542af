import Foundation
import Objectives
import Testing

@testable import Experiments

/// A folder of a test's own, removed at the end.
struct TemporaryFolder: ~Copyable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }
}

@Suite struct RunFileTests {
    @Test func whatIsRecordedIsReadBackBitForBit() throws {
        let folder = try TemporaryFolder()
        let parent = RunParent(uuid: UUID(), name: "base", step: 4000)
        let header = RunHeader(
            created: Date(timeIntervalSince1970: 1_700_000_000.25), parent: parent, environment: ["threads": "2"])
        let file = try RunFile.create(name: "lr-switch", in: folder.url, header: header)
        let values = [0.1, -1.0 / 3, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0]
        for (step, value) in values.enumerated() { try file.record("loss", step: step, value: value) }
        let full = Measurement(
            step: 7, value: 39.5, standardError: 0.25, samples: 640, products: 11, residual: 1e-3, seconds: 0.5,
            operations: 1.5e12, arrays: ["nodes": [0.1, -.infinity, .leastNonzeroMagnitude], "none": []],
            extra: #"{"values":[1,2]}"#, interval: 39.0...(.infinity))
        try file.record("batch_sharpness", full)
        try file.record(
            "lambda_max", step: 1, value: 2, standardError: .nan, samples: nil, products: 3, residual: .nan,
            seconds: .infinity)
        try file.setParameters(["lr": 0.05, "batch": 16, "hidden": [200, 200], "noise": .number(.nan), "name": "a\"b"])
        try file.addScript(path: "quickstart.lua", source: "print('λ')\n")
        try file.addScript(RunScript(path: "latin.lua", source: Data([0x2D, 0x2D, 0xE9, 0x00, 0x0A])))
        try file.addEvent(step: 4000, kind: "lr", message: "0.05 → 0.08")
        try file.addNote("catapult at 4000")
        try file.addFigure(name: "edge.svg", mime: "image/svg+xml", bytes: Data("<svg/>".utf8))
        try file.addFigure(name: "edge.svg", mime: "image/svg+xml", bytes: Data("<svg></svg>".utf8))
        try file.addCheckpoint(step: 100, bytes: Data([1, 2, 3]))
        try file.addCheckpoint(step: 200, bytes: Data())
        try file.close()

        #expect(try folder.names == ["lr-switch.eoss"], "no side file is left behind")
        let read = try RunFile.open(file.url)
        #expect(read.name == "lr-switch")
        #expect(read.uuid == header.uuid)
        #expect(read.created == header.created)
        #expect(read.parent == parent)
        #expect(read.eossVersion == RunEnvironment.eossVersion)
        #expect(try #require(read.closed) >= read.created)
        #expect(try read.seriesNames() == ["loss", "batch_sharpness", "lambda_max"])
        #expect(try read.series("loss").map(\.value.bitPattern) == values.map(\.bitPattern))
        #expect(try read.series("loss", from: 2, to: 4).map(\.step) == [2, 3, 4])
        #expect(try read.series("batch_sharpness") == [full])
        let top = try #require(try read.series("lambda_max").first)
        #expect(top.standardError?.isNaN == true && top.residual?.isNaN == true)
        #expect(top.samples == nil && top.products == 3 && top.seconds == .infinity)
        let parameters = try read.parameters()
        #expect(parameters["lr"] == 0.05 && parameters["batch"] == 16 && parameters["hidden"] == [200, 200])
        #expect(parameters["name"] == "a\"b")
        guard case .number(let noise)? = parameters["noise"] else {
            throw RunFileError.missing(path: "", what: "noise")
        }
        #expect(noise.isNaN)
        let scripts = try read.scripts()
        #expect(scripts.map(\.path) == ["quickstart.lua", "latin.lua"])
        #expect(scripts[0].source == Data("print('λ')\n".utf8))
        #expect(scripts[1].source == Data([0x2D, 0x2D, 0xE9, 0x00, 0x0A]))
        #expect(try read.events() == [RunEvent(step: 4000, kind: "lr", message: "0.05 → 0.08")])
        #expect(try read.notes() == ["catapult at 4000"])
        #expect(try read.figureNames() == ["edge.svg"])
        #expect(try read.figure("edge.svg").bytes == Data("<svg></svg>".utf8))
        #expect(try read.checkpointSteps() == [100, 200])
        #expect(try read.checkpoint(step: 100) == Data([1, 2, 3]))
        #expect(try read.checkpoint(step: 200) == Data())
        let environment = try read.environment()
        #expect(environment["threads"] == "2")
        #expect(environment["cpu"]?.isEmpty == false && environment["sqlite"]?.hasPrefix("3.") == true)
    }

    /// FIPS 180-4's own examples, and the empty message.
    @Test func scriptsAreHashedBySHA256() {
        #expect(
            Data("abc".utf8).sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Data().sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func aTakenNameGetsTheNextNumber() throws {
        let folder = try TemporaryFolder()
        let kept = try RunFile.create(name: "a", in: folder.url)
        try kept.addNote("first")
        try kept.close()
        let second = try RunFile.create(name: "a", in: folder.url)
        let third = try RunFile.create(name: "a", in: folder.url)
        #expect(second.url.lastPathComponent == "a-2.eoss" && second.name == "a-2")
        #expect(third.url.lastPathComponent == "a-3.eoss")
        try second.close()
        try third.close()
        #expect(try RunFile.open(kept.url).notes() == ["first"])
    }

    @Test(arguments: ["", ".hidden", "../a", "a/b", "a\0b", "a\nb", String(repeating: "x", count: 201)])
    func aNameThatIsNoFileNameIsRefused(name: String) throws {
        let folder = try TemporaryFolder()
        #expect(throws: RunFileError.self) { try RunFile.create(name: name, in: folder.url) }
        #expect(try folder.names.isEmpty)
    }

    @Test func aMeasurementIsInTheFileWithinASecondWithoutBeingAskedFor() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        try file.record("loss", step: 0, value: 1)
        // Not a timing: the commit comes by itself, however late a loaded machine makes it.
        let reader = try RunFile.open(file.url)
        let watch = Stopwatch()
        while try reader.seriesNames().isEmpty, watch.seconds < 30 { usleep(20_000) }
        #expect(try reader.series("loss").map(\.value) == [1])
        #expect(reader.closed == nil)
        try file.close()
    }

    @Test func recordingWaitsForTheDiskRatherThanFillTheMemory() throws {
        let folder = try TemporaryFolder()
        var limits = RunFileWriter.Limits()
        limits.samples = 8
        limits.bytes = 1000
        limits.delay = 0.001
        let file = try RunFile(name: "a", directory: folder.url, header: RunHeader(), limits: limits)
        for step in 0..<200 { try file.record("loss", step: step, value: Double(step)) }
        // Larger than the whole queue, and yet taken.
        try file.addCheckpoint(step: 0, bytes: Data(count: 5000))
        try file.addCheckpoint(step: 1, bytes: Data(count: 5000))
        try file.close()
        let read = try RunFile.open(file.url)
        #expect(try read.series("loss").map(\.step) == Array(0..<200))
        #expect(try read.checkpointSteps() == [0, 1])
    }

    @Test func manyThreadsRecordWithoutLosingAnything() async throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for thread in 0..<4 {
                group.addTask {
                    for step in 0..<5000 {
                        try file.record("s\(thread)", step: step, value: Double(step))
                        if step % 1000 == 0 { try file.commit() }
                    }
                }
            }
            try await group.waitForAll()
        }
        try file.close()
        let read = try RunFile.open(file.url)
        for thread in 0..<4 { #expect(try read.series("s\(thread)").map(\.step) == Array(0..<5000)) }
    }

    @Test func aFileThatIsLetGoStillWritesWhatItWasGivenAndIsFreed() throws {
        let folder = try TemporaryFolder()
        var file: RunFile? = try RunFile.create(name: "a", in: folder.url)
        let url = try #require(file?.url)
        try file?.record("loss", step: 0, value: 1)
        weak let observed = file
        file = nil
        #expect(observed == nil)
        RunFile.commitAll()
        let read = try RunFile.open(url)
        #expect(try read.closed != nil && read.series("loss").count == 1)
    }

    @Test func aClosedFileTakesNothingMoreAndClosesTwice() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        try file.close()
        try file.close()
        try file.commit()
        #expect(throws: RunFileError.closed(path: file.url.path)) { try file.record("loss", step: 0, value: 1) }
    }

    @Test func aBlobTooLargeForSQLiteIsRefusedBeforeItIsCopied() throws {
        let folder = try TemporaryFolder()
        let file = try RunFile.create(name: "a", in: folder.url)
        // Zero pages of the system: 1 GB that is never touched.
        let huge = Data(count: RunFile.largestBlob + 1)
        #expect(throws: RunFileError.self) { try file.addFigure(name: "a.png", mime: "image/png", bytes: huge) }
        try file.record("loss", step: 0, value: 1)
        try file.close()
        #expect(try RunFile.open(file.url).series("loss").count == 1)
    }
}
