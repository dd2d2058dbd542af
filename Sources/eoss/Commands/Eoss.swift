import ArgumentParser
import Experiments

/// The command line.
struct Eoss: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eoss",
        abstract: "A laboratory for the dynamics of training at the edge of stability.",
        version: RunEnvironment.eossVersion,
        subcommands: [
            RunCommand.self, ReplCommand.self, ListCommand.self, ShowCommand.self, CompareCommand.self,
            FollowCommand.self, ServeCommand.self, PlotCommand.self, ExportCommand.self, ReportCommand.self,
            ShareCommand.self, ScriptCommand.self, VerifyCommand.self, SweepCommand.self, SweepPointCommand.self,
            SweepWorkerCommand.self,
            DocCommand.self, InitCommand.self, DoctorCommand.self,
        ])
}
