import FlyingFox
import FlyingSocks
import Foundation

/// A page that shows a folder of run files to browsers on this machine, while runs go on.
///
/// It only reads. Whoever may connect to the loopback address sees it: all users of this machine.
public struct LivePage: Sendable {
    /// The port where none is asked for.
    public static let standardPort: UInt16 = 8611
    /// Pages that may be open at a time, connections that may wait at a time, and how long.
    private static let (streamLimit, connectionLimit, patience) = (256, 512, Duration.seconds(120))
    /// Seconds that one answer may take.
    private static let answerTime = 60.0

    private let library: PageLibrary

    /// - Parameter giveWay: called on a thread whose work shall have the priority that this sets; what is read of run files is read by a thread
    ///   that has that of this one.
    public init(_ folder: URL, giveWay: @escaping @Sendable () -> Void = {}) {
        library = PageLibrary(folder.standardizedFileURL, on: ReadingThread(giveWay: giveWay))
    }

    /// Serves until the task is cancelled.
    /// - Parameters:
    ///   - port: the wanted one; 0 for any. Where it is taken, the next free one.
    ///   - ready: told the port when it listens.
    /// - Throws: where there is no port to listen on.
    public func serve(port: UInt16, ready: @escaping @Sendable (UInt16) -> Void) async throws {
        guard let free = FreePort.next(from: port) else {
            throw LivePageError("cannot listen on 127.0.0.1: \(String(cString: strerror(errno)))")
        }
        let handler = PageHandler(
            library: library, check: RequestCheck(port: free),
            streams: StreamCount(limit: Self.streamLimit))
        let pool = ConnectionLimits(
            HTTPServer.defaultPool(), limit: Self.connectionLimit, patience: Self.patience)
        let server = HTTPServer(
            config: .init(
                address: try .inet(ip4: "127.0.0.1", port: free), timeout: Self.answerTime, pool: pool,
                logger: .disabled),
            handler: handler)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            try await server.waitUntilListening()
            ready(free)
            try await group.next()
        }
    }
}

/// Why there is no page.
public struct LivePageError: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
