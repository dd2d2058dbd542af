import Foundation

@testable import Experiments

/// Kills this process in so many microseconds, in the middle of whatever it does then.
func killThisProcess(after microseconds: Int) {
    Thread {
        usleep(UInt32(microseconds))
        kill(getpid(), SIGKILL)
    }.start()
}

/// A run file `a.eoss` in a folder whose writer commits all the time.
func restlessFile(in folder: String) throws -> RunFile {
    var limits = RunFileWriter.Limits()
    limits.delay = 0
    return try RunFile(name: "a", directory: URL(fileURLWithPath: folder), header: RunHeader(), limits: limits)
}
