import FlyingSocks
import Foundation
import Synchronization

/// The library's waiting for connections, with an end: so many may wait, and each only for so long. One that is refused is closed.
final class ConnectionLimits<Pool: AsyncSocketPool>: AsyncSocketPool {
    private let pool: Pool
    private let limit: Int
    private let patience: Duration
    private let waiting = Mutex(0)

    /// - Parameters:
    ///   - limit: connections that may wait at a time, for a request or for a reader that is slow.
    ///   - patience: how long.
    init(_ pool: Pool, limit: Int, patience: Duration) {
        (self.pool, self.limit, self.patience) = (pool, limit, patience)
    }

    func prepare() async throws { try await pool.prepare() }

    func run() async throws { try await pool.run() }

    func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
        if Self.isListening(socket) { return try await pool.suspendSocket(socket, untilReadyFor: events) }
        let isWelcome = waiting.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
        guard isWelcome else { throw SocketError.disconnected }
        defer { waiting.withLock { $0 -= 1 } }
        try await withThrowingTaskGroup(of: Void.self) { [pool, patience] group in
            group.addTask { try await pool.suspendSocket(socket, untilReadyFor: events) }
            group.addTask {
                try await Task.sleep(for: patience)
                throw SocketError.timeout(message: "nothing came, or was taken, for \(patience)")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private static func isListening(_ socket: Socket) -> Bool {
        var (isListening, size): (Int32, socklen_t) = (0, socklen_t(MemoryLayout<Int32>.size))
        return getsockopt(socket.file.rawValue, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size) == 0
            && isListening != 0
    }
}
