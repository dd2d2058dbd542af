import Compute
import Foundation
import Testing

@testable import Reports

let gnuplotIsInstalled = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .contains { FileManager.default.isExecutableFile(atPath: "\($0)/gnuplot") }

/// The message with which `body` fails; empty when it does not.
func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return ""
    } catch { return "\(error)" }
}

func oneSeries(_ y: [Double], _ scale: Panel.Scale = .linear) -> Figure {
    Figure(panels: [Panel(yScale: scale, series: [PlottedSeries(name: "s", x: y.indices.map(Double.init), y: y)])])
}

@Suite(.enabled(if: gnuplotIsInstalled)) struct DrawnFigures {
    let edge = Figure(
        title: "The edge",
        panels: [
            Panel(
                yLabel: "curvature",
                series: [
                    PlottedSeries(
                        name: "batch_sharpness", x: (0..<100).map(Double.init),
                        y: (0..<100).map { 40 - 30 / (1 + Double($0)) },
                        errors: [Double](repeating: 1, count: 100))
                ],
                references: [ReferenceLine(name: "2/η", x: [0, 50], y: [40, 25])], marks: [50]),
            Panel(
                xLabel: "step", yLabel: "loss", yScale: .log,
                series: [PlottedSeries(name: "loss", x: [0, 1, 99], y: [1, 0.1, 1e-4])]),
        ])

    @Test func everyFormatIsWhatItsNameSays() throws {
        let svg = String(decoding: try edge.drawn(as: .svg), as: UTF8.self)
        #expect(svg.hasPrefix("<?xml") && svg.contains("viewBox=\"0 0 900 840\"") && svg.hasSuffix("</svg>\n\n"))
        #expect(try edge.drawn(as: .png).starts(with: [0x89, 0x50, 0x4E, 0x47]))
        #expect(try edge.drawn(as: .pdf).starts(with: Array("%PDF-".utf8)))
        let text = String(decoding: try edge.drawn(as: .text(columns: 80, rows: 40)), as: UTF8.self)
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
        for word in ["The edge", "batch_sharpness", "2/η", "loss", "step"] {
            #expect(svg.contains(word) && text.contains(word))
        }
    }

    @Test func theSameFigureGivesTheSameBytes() throws {
        #expect(try edge.drawn(as: .svg) == edge.drawn(as: .svg))
    }

    /// Strings that would run a command, end the string, expand a variable or be taken as markup, in every place for a string.
    @Test(arguments: [
        "`touch MARK`", "a' ; system('touch MARK') ; '", "x\nset output '|touch MARK'\n", "x\r!touch MARK",
        "'.system(\"touch MARK\").'",
        "'; plot '< touch MARK'; '", "@GPVAL_VERSION", "{/Symbol a}_b^{c}", "\"$d0\"", "%s %d \\n \\", "EOD\nEOD",
        "a <b> & c", "''", "\u{2028}x",
    ])
    func stringsAreShownAndNotObeyed(string: String) throws {
        let mark = NSTemporaryDirectory() + "eoss-gnuplot-\(getpid())-mark"
        let string = string.replacingOccurrences(of: "MARK", with: mark)
        for format in [FigureFormat.svg, .text(columns: 200, rows: 60)] {
            let panel = Panel(
                title: string, xLabel: string, yLabel: string,
                series: [
                    PlottedSeries(name: string, x: [0, 1], y: [1, 2]),
                    PlottedSeries(name: string, x: [0, 1], y: [2, 3], style: .points),
                    PlottedSeries(name: string, x: [0], y: [.nan]),
                ], references: [ReferenceLine(name: string, value: 2)])
            let drawn = String(
                decoding: try Figure(title: string, panels: [panel]).drawn(as: format), as: UTF8.self)
            #expect(!FileManager.default.fileExists(atPath: mark))
            guard format == .svg else { continue }
            let shown = String(
                string.map { $0.isNewline || $0 == "\u{2028}" ? " " : $0 == "`" || $0 == "'" ? "’" : $0 }
            )
            .replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            let places = drawn.components(separatedBy: shown.trimmingCharacters(in: .whitespaces)).count - 1
            #expect(places >= 8, "\(shown) stands \(places) times in \(drawn)")
        }
    }

    @Test func gapsAreGapsAndLonelyPointsAreDots() throws {
        var y = [Double](repeating: 1, count: 100)
        (y[10], y[12], y[50]) = (.nan, .infinity, -.infinity)
        let svg = String(decoding: try oneSeries(y).drawn(as: .svg), as: UTF8.self)
        #expect(svg.contains("<use xlink:href='#gpPt6'"))  // the dot of point 11
    }

    @Test func anEmptyPanelSaysSoBesideAFullOne() throws {
        var figure = edge
        figure.panels[1].series[0].y = [.nan, .nan, .nan]
        let svg = String(decoding: try figure.drawn(as: .svg), as: UTF8.self)
        #expect(svg.contains("no values to show") && svg.contains("loss (no values)"))
    }

    @Test func numbersAtTheEndsOfTheRangeAreDrawnOrLeftOut() throws {
        let extremes: [[Double]] = [
            [1e250, -1e250, 1], [1e-300, 1e-250, 1e250], [0, 0, 0], [5, 5, 5], [1, 1 + 1e-15], [-1, 0, 0x1p-1060, 3],
            [1e300, 2],
        ]
        for y in extremes { #expect(try oneSeries(y).drawn(as: .svg).count > 1000) }
        for y in extremes where y.contains(where: { $0 >= 1e-250 }) {
            #expect(try oneSeries(y, .log).drawn(as: .svg).count > 1000)
        }
        #expect(try oneSeries([3]).drawn(as: .svg).count > 1000)
    }

    @Test func aLongRunIsASmallFigure() throws {
        var stream = RandomStream(seed: 1, purpose: .test)
        let y = (0..<200_000).map { _ in stream.normal() }
        let data = try oneSeries(y).drawn(as: .svg)
        #expect(data.count < 200_000)
    }

    @Test func aFigureIsWrittenInTheFormatOfItsName() throws {
        let folder = NSTemporaryDirectory() + "eoss-figures-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let data = try oneSeries([1, 2]).write(to: folder + "/x.SVG")
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/x.SVG")) == data)
        #expect(
            message { try oneSeries([1, 2]).write(to: folder + "/x.gif") }.hasSuffix(
                "a figure's name ends in .svg, .pdf, .png or .txt"))
        #expect(
            message { try oneSeries([1, 2]).write(to: folder + "/no/x.svg") }
                == "cannot write \(folder)/no/x.svg: No such file or directory")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["x.SVG"])
    }
}

@Suite struct FiguresThatCannotBeDrawn {
    @Test func theReasonIsSaid() {
        #expect(message { _ = try Figure(panels: []).drawn(as: .svg) } == "a figure needs at least one panel")
        #expect(message { _ = try Figure(panels: [Panel()]).drawn(as: .svg) }.contains("the figure has no series"))
        let ragged = Figure(panels: [Panel(series: [PlottedSeries(name: "r", x: [1, 2], y: [1], errors: [1, 2, 3])])])
        #expect(message { _ = try ragged.drawn(as: .svg) } == "series 'r' has 2 x values, 1 y values and 3 errors")
        var figure = oneSeries([1, 2])
        figure.panels[0].references = [ReferenceLine(name: "edge", x: [0], y: [])]
        #expect(message { _ = try figure.drawn(as: .svg) } == "reference line 'edge' has 1 x values and 0 y values")
        figure = oneSeries([1, 2])
        figure.size = (900, 1_000_000)
        #expect(message { _ = try figure.drawn(as: .svg) }.contains("900×1000000 pixels cannot be drawn"))
    }

    /// A stand-in for gnuplot in a folder of its own: a shell script.
    func withProgram(_ script: String, _ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "eoss-program-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try OutputFile.write(Data("#!/bin/sh\n\(script)\n".utf8), to: folder + "/gnuplot")
        chmod(folder + "/gnuplot", 0o755)
        try body("\(folder):/usr/bin:/bin")
    }

    @Test func aMissingGnuplotIsNamedWithItsPackage() {
        for path in ["", "/nowhere", "relative:."] {
            #expect(
                message { _ = try Gnuplot.run("", timeout: 5, path: path) }.contains(
                    "was not found. On Debian: apt install gnuplot-nox"))
        }
    }

    @Test func aFailingGnuplotIsQuoted() throws {
        try withProgram("echo '\nline 3: bad' >&2; exit 4") { path in
            #expect(
                message { _ = try Gnuplot.run("plot", timeout: 5, path: path) }
                    == "gnuplot failed (status 4): line 3: bad")
        }
        try withProgram("exit 0") { path in
            #expect(message { _ = try Gnuplot.run("plot", timeout: 5, path: path) } == "gnuplot drew nothing")
        }
        try withProgram("kill -9 $$") { path in
            #expect(
                message { _ = try Gnuplot.run("plot", timeout: 5, path: path) }.hasPrefix("gnuplot failed (status 9)"))
        }
    }

    @Test func aHangingGnuplotIsEnded() throws {
        try withProgram("exec sleep 100") { path in
            let start = ContinuousClock.now
            #expect(
                message { _ = try Gnuplot.run("plot", timeout: 0.2, path: path) }
                    == "gnuplot did not finish the figure within 0.2 seconds")
            #expect(ContinuousClock.now - start < .seconds(20))
        }
    }

    /// Megabytes on all three streams, none of them read while the other is written.
    @Test func nothingWaitsForAReader() throws {
        let script = String(repeating: "# a line of a long script\n", count: 100_000)
        try withProgram("head -c 4000000 /dev/zero >&2; head -c 5000000 /dev/zero") { path in
            let drawn = try Gnuplot.run(script, timeout: 30, path: path)
            #expect(drawn.count == 5_000_000)
        }
        try withProgram("cat") { path in
            let drawn = try Gnuplot.run(script, timeout: 30, path: path)
            #expect(drawn == Data(script.utf8))
        }
    }
}
