import FlyingSocks
import Foundation
import Synchronization

/// Streams of events that are open, so many at most.
final class StreamCount: Sendable {
    private let limit: Int
    private let count = Mutex(0)

    init(limit: Int) { self.limit = limit }

    /// A place for one more; nil where there is none. It is given back when the place is let go.
    func place() -> Place? {
        count.withLock { count in
            guard count < limit else { return nil }
            count += 1
            return Place(self)
        }
    }

    final class Place: Sendable {
        private let owner: StreamCount
        fileprivate init(_ owner: StreamCount) { self.owner = owner }
        deinit { owner.count.withLock { $0 -= 1 } }
    }
}

/// Server-sent events: everything first, then what is new, as soon as the reader has taken what was sent before.
struct EventStream: AsyncBufferedSequence {
    typealias Element = UInt8
    /// What is new since a version.
    typealias Source = @Sendable (Int?) async -> PageMessage?

    let source: Source
    let place: StreamCount.Place
    /// Seconds between two looks.
    var interval = 1.0
    /// Seconds after which a word is sent although nothing is new: so it shows that a reader has gone.
    var silence = 15.0

    func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        /// Bytes that are handed over at once. All that a slow reader costs: the texts themselves are everybody's.
        private static let pieceLength = 16_384

        private let stream: EventStream
        private var seen: Int?
        private var pending: ArraySlice<String> = ["retry: 2000\n\n"]
        /// Bytes of the first pending text that have been sent.
        private var sent = 0

        init(stream: EventStream) { self.stream = stream }

        mutating func next() async throws -> UInt8? { try await nextBuffer(suggested: 1)?.first }

        mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
            var waited = 0.0
            while pending.isEmpty {
                if let message = await stream.source(seen) {
                    seen = message.version
                    pending = ArraySlice(message.parts.flatMap { ["data: ", $0, "\n\n"] })
                } else if waited >= stream.silence {
                    pending = [": still here\n\n"]
                } else {
                    try await Task.sleep(for: .seconds(stream.interval))
                    waited += stream.interval
                }
            }
            return piece()
        }

        private mutating func piece() -> [UInt8] {
            var bytes: [UInt8] = []
            while let text = pending.first, bytes.count < Self.pieceLength {
                let part = text.utf8.dropFirst(sent).prefix(Self.pieceLength - bytes.count)
                bytes += part
                sent += part.count
                if sent == text.utf8.count {
                    pending.removeFirst()
                    sent = 0
                }
            }
            return bytes
        }
    }
}
