import CFuzzer
import Experiments
import Foundation
import RunFiles

// Opens whatever libFuzzer makes of run files, and does with each what the commands do that take a stranger's file: reads all of it,
// writes it as every format, takes its script out, copies it. Whatever the bytes are, it ends, and in nothing but a value or an error
// that is meant for people. `make fuzz` builds and runs it.

/// `--seeds DIR` writes small run files to begin with.
let arguments = CommandLine.arguments
if arguments.count == 3, arguments[1] == "--seeds" {
    try FuzzedFile.writeSeeds(to: URL(fileURLWithPath: arguments[2]))
    exit(0)
}
var pointers = arguments.map { strdup($0) } + [nil]
let status = pointers.withUnsafeMutableBufferPointer { argv in
    eoss_fuzz(Int32(arguments.count), argv.baseAddress) { bytes, count in
        FuzzedFile.test(UnsafeRawBufferPointer(start: bytes, count: count))
        return 0
    }
}
exit(status)
