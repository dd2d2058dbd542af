import Foundation

/// How the last execution of a point ended, as the file `outcome.json` of its folder says it. A point that was killed has none.
struct PointOutcome: Codable, Equatable {
    var state: PointState
    /// Steps of its run.
    var step: Int?
    /// What the program said, where it failed.
    var message: String?
    var ended: Date

    static func read(_ file: URL) -> PointOutcome? {
        guard let json = try? SmallFile.contents(of: file) else { return nil }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return try? decoder.decode(PointOutcome.self, from: json)
    }

    func write(to file: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        try encoder.encode(self).write(to: file, options: .atomic)
    }
}
