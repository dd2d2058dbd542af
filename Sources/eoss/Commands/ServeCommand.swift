import ArgumentParser
import Foundation
import LivePage
import Synchronization

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Show a folder's runs on a live page in the browser, on this machine alone.",
        discussion: """
            The page has the folder's runs, and of each its curves, events, script and figures, as they are written; it only reads, \
            and no run waits for it. Ctrl-C ends it. From another machine: ssh -L 8611:127.0.0.1:8611 HOST, with the same port at \
            both ends.
            """)

    @Argument(help: ArgumentHelp("The folder.", valueName: "folder"), completion: .directory)
    var folder = "runs"

    @Option(help: ArgumentHelp("The port; where it is taken the next free one, for 0 any.", valueName: "n"))
    var port = LivePage.standardPort

    /// Its standard input is a pipe from the run that it belongs to: it gives way to that, and ends with it.
    @Flag(name: .customLong("for-run"), help: .hidden)
    var isForRun = false

    func validate() throws {
        var isFolder: ObjCBool = false
        // That of a run is made when there is something to write.
        if isForRun { return }
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw ValidationError("there is no folder '\(folder)': call 'eoss serve FOLDER'")
        }
    }

    func run() throws {
        let (folder, wanted, isForRun) = (folder, port, isForRun)
        let page = LivePage(URL(fileURLWithPath: folder)) { if isForRun { PageProcess.giveWay() } }
        if isForRun {
            PageProcess.endWithParent()
            PageProcess.giveWay()
        }
        let end = DispatchSemaphore(value: 0)
        let failure = Mutex<String?>(nil)
        Task.detached {
            do {
                try await page.serve(port: wanted) { port in
                    if wanted != 0, port != wanted {
                        Console.tell("port \(wanted) is taken: the page has port \(port)")
                    }
                    if !isForRun { Console.tell("the runs of '\(folder)' are on this page until Ctrl-C:") }
                    Console.writeOutput("http://127.0.0.1:\(port)/\n")
                }
            } catch {
                failure.withLock { $0 = "\(error)" }
            }
            end.signal()
        }
        end.wait()
        Console.tell("the page has ended: \(failure.withLock { $0 } ?? "it does not listen any more")")
        throw ExitCode(ExitStatus.failed.rawValue)
    }
}
