import Foundation
import Testing

@testable import Sweeps

@Suite struct SlurmTests {
    /// Programs of these names that do what a shell does with the text.
    private func programs(_ folder: TemporaryFolder, _ texts: [String: String]) throws -> SlurmPrograms {
        for (name, text) in texts {
            let file = folder.url.appendingPathComponent(name)
            try Data("#!/bin/sh\n\(text)\n".utf8).write(to: file)
            chmod(file.path, 0o755)
        }
        return SlurmPrograms(path: folder.url.path)
    }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch { return "\(error)" }
    }

    @Test func withoutSlurmTheErrorNamesJobs() throws {
        let folder = try TemporaryFolder()
        #expect(message { try SlurmPrograms(path: folder.url.path).require() }.contains("--jobs n"))
    }

    @Test func numbersThatFollowOneAnotherAreARange() {
        #expect(SlurmSubmission.ranges([0, 1, 2, 5, 7, 8]) == "0-2,5,7-8")
        #expect(SlurmSubmission.ranges([4]) == "4")
    }

    @Test func theBatchScriptIsWhatWasAskedFor() throws {
        let folder = try TemporaryFolder()
        let sweep = try folder.sweep()
        var submission = SlurmSubmission()
        (submission.partition, submission.time, submission.arrayLimit, submission.threads) = ("long", "1-12", 4, 2)
        let text = try submission.text([0, 1, 3], sweep, ["/opt/it's/eoss", "sweep-point"])
        #expect(
            text == #"""
                #!/bin/sh
                #SBATCH --job-name=eoss-script
                #SBATCH --array=0-1,3%4
                #SBATCH --cpus-per-task=2
                #SBATCH --requeue
                #SBATCH --open-mode=append
                #SBATCH --partition=long
                #SBATCH --time=1-12
                exec '/opt/it'\''s/eoss' 'sweep-point' "$SLURM_ARRAY_TASK_ID"

                """#)
        submission.partition = "a\n#SBATCH --uid=0"
        #expect(message { _ = try submission.text([0], sweep, []) }.contains("--partition"))
    }

    @Test func aSubmissionGivesTheNumberOfItsJobOrSaysWhatSlurmSays() throws {
        let folder = try TemporaryFolder()
        let sweep = try folder.sweep()
        let slurm = try programs(folder, ["sbatch": "echo '12;cluster'"])
        #expect(try SlurmSubmission().submit(sweep, points: [0], program: ["eoss"], to: slurm) == "12")
        #expect(FileManager.default.fileExists(atPath: sweep.url.appendingPathComponent("sweep.sh").path))
        _ = try programs(folder, ["sbatch": "echo 'sbatch: error: invalid partition' >&2; exit 1"])
        #expect(
            message { _ = try SlurmSubmission().submit(sweep, points: [0], program: ["eoss"], to: slurm) }
                .contains("invalid partition"))
        _ = try programs(folder, ["scontrol": "echo 'MaxArraySize            = 2'"])
        #expect(
            message { _ = try SlurmSubmission().submit(sweep, points: [0, 1, 2], program: ["eoss"], to: slurm) }
                .contains("at most 2 tasks"))
    }

    @Test func whatTheQueueSaysOverrulesTheAccounts() throws {
        let folder = try TemporaryFolder()
        var sweep = try folder.sweep()
        try sweep.change {
            $0.submissions = [.init(job: "7", submitted: Date()), .init(job: "12", submitted: Date())]
        }
        let slurm = try programs(
            folder,
            [
                "sacct":
                    #"case "$*" in *jobs=7*) printf '7_0|FAILED\n7_1|FAILED\n';; *) printf '12_1|COMPLETED\n12_2|RUNNING\n12_[3-9]|PENDING\n1_3|x\n';; esac"#,
                "squeue":
                    #"case "$*" in *jobs=7*) exit 1;; *) printf '2|RUNNING|node1\n3|PENDING|(Priority)\nN/A|x|y\n';; esac"#,
            ])
        let status = SlurmStatus(sweep, slurm: slurm)
        #expect(
            status.words == [0: "FAILED", 1: "COMPLETED", 2: "RUNNING on node1", 3: "PENDING (Priority)"])
        #expect(status.alive == [2, 3])
        #expect(SlurmStatus(sweep, slurm: SlurmPrograms(path: "/nonexistent")) == SlurmStatus())
    }
}
