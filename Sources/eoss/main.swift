import CSignals
import Foundation

Descriptors.openStandard()
Descriptors.raiseLimit()
TerminalMode.remember()
guard eoss_signals_catch() == 0 else {
    perror("eoss: cannot catch signals")
    exit(ExitStatus.failed.rawValue)
}
if SweepWorkerCommand.isCalled(by: CommandLine.arguments) { Interrupts.shared.attachWorker() }
// The program runs on a thread of its own, for Lua wants a stack of at least 8 MiB whatever `ulimit -s` says; the main
// thread, which sleeps, answers signals.
let program = Thread { exit((Program.refusal() ?? Program.run(Array(CommandLine.arguments.dropFirst()))).rawValue) }
program.stackSize = 64 << 20
program.start()
Interrupts.shared.serve()
