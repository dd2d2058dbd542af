import ArgumentParser
import Compute
import Datasets
import Foundation
import Reports
import ScriptAPI

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look at this machine: what eoss finds here, what it misses, and what to do about it.")

    /// What was looked at.
    private struct Finding {
        let what: String
        let found: String
        /// What to do where something is missing; nil where all is well.
        var remedy: String?
        /// Whether eoss cannot work without.
        var isNeeded = false
    }

    func run() throws {
        let findings = Self.machine() + Self.programs() + Self.data() + Self.terminal()
        let width = findings.map(\.what.count).max() ?? 0
        for finding in findings {
            let mark = finding.remedy == nil ? "ok  " : finding.isNeeded ? "FAIL" : "--  "
            Console.writeOutput(
                "\(mark) \(finding.what.padding(toLength: width, withPad: " ", startingAt: 0))  \(finding.found)\n")
            if let remedy = finding.remedy {
                Console.writeOutput(String(repeating: " ", count: width + 7) + remedy + "\n")
            }
        }
        if findings.contains(where: { $0.isNeeded && $0.remedy != nil }) { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private static func machine() -> [Finding] {
        var findings = [
            Finding(
                what: "processors",
                found: "\(Engine.shared.threads) threads are used of \(ProcessInfo.processInfo.activeProcessorCount)"),
            Finding(
                what: "memory",
                found:
                    "\(gigabytes(Int(clamping: ProcessInfo.processInfo.physicalMemory))) GB, of which eoss takes up to "
                    + "\(gigabytes(MemoryAccount.shared.limit)) (--memory)"),
        ]
        do {
            let environment = try Engine.shared.environment()
            let rate = try Engine.shared.productRate(size: 1024, repetitions: 3) / 1e9
            findings.append(Finding(what: "kernels", found: environment["kernels"] ?? "?"))
            findings.append(
                Finding(what: "OpenBLAS", found: "\(environment["openblas"] ?? "?"), \(Int(rate)) GFLOP/s in f32"))
        } catch {
            findings.append(
                Finding(
                    what: "OpenBLAS", found: "\(error)", remedy: "sudo apt install libopenblas0-pthread", isNeeded: true
                ))
        }
        return findings
    }

    private static func programs() -> [Finding] {
        let gnuplot = Gnuplot.program()
        return [
            Finding(
                what: "gnuplot", found: gnuplot ?? "not found: figures cannot be drawn",
                remedy: gnuplot == nil ? "sudo apt install gnuplot-nox" : nil)
        ]
    }

    private static func data() -> [Finding] {
        ImageFacts.all.map { set in
            do { return Finding(what: set.title, found: try set.whereabouts()) } catch {
                return Finding(what: set.title, found: "not found", remedy: "\(error)")
            }
        }
    }

    private static func terminal() -> [Finding] {
        let isTerminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
        let locale = setlocale(LC_CTYPE, "").map { String(cString: $0) } ?? "C"
        let isUnicode = locale.lowercased().contains("utf")
        return [
            Finding(
                what: "terminal",
                found: isTerminal
                    ? "\(Console.outputWidth) columns, \(ProcessInfo.processInfo.environment["TERM"] ?? "no TERM")"
                    : "none"),
            Finding(
                what: "characters", found: locale,
                remedy: isUnicode ? nil : "export LANG=C.UTF-8, or curves and units are shown as question marks"),
        ]
    }

    private static func gigabytes(_ bytes: Int) -> String { String(format: "%.1f", Double(bytes) / Double(1 << 30)) }
}
