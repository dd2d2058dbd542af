import Experiments
import Foundation
import LuaBridge

extension ScriptHost {
    /// What could stand at the end of a text typed at a prompt.
    public func complete(_ text: String) -> Completion {
        state.complete(
            text, with: documentation, series: { files.compactMap(\.run).flatMap(\.seriesNames) }, files: fileNames)
    }

    /// The files that begin so, below the folders that a script reads: its own, and that of the output.
    private func fileNames(_ begun: String) -> [String] {
        let folder = begun.lastIndex(of: "/").map { String(begun[...$0]) } ?? ""
        let folders = [scriptFolder, options.outputFolder.path]
        return folders.flatMap { root -> [String] in
            let url = URL(fileURLWithPath: root).appendingPathComponent(folder)
            guard url.standardizedFileURL.path.hasPrefix(URL(fileURLWithPath: root).standardizedFileURL.path) else {
                return []
            }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
            return names.filter { !$0.hasPrefix(".") }.map { folder + $0 }
        }
    }
}
