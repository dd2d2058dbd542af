/// Places for the buffers of a plan in one arena: buffers that are alive at different times share memory.
struct ArenaPlan {
    /// Byte offset of each buffer; buffers that nothing uses have 0.
    private(set) var offsets: [Int]
    /// Bytes of the arena.
    private(set) var size = 0
    /// First and last step that uses each buffer, `nil` where none does. A buffer that shares another's memory in place has its own.
    let lives: [ClosedRange<Int>?]
    let sizes: [Int]

    /// - Parameters:
    ///   - sizes: bytes of each buffer.
    ///   - ask: called now and then; it may end all by throwing.
    init(steps: [Step], sizes: [Int], asking ask: () throws -> Void = {}) throws {
        self.sizes = sizes
        var lives = [ClosedRange<Int>?](repeating: nil, count: sizes.count)
        for (index, step) in steps.enumerated() {
            for case .buffer(let buffer) in (step.reads + step.writes).map(\.whole) {
                lives[buffer] = (lives[buffer]?.lowerBound ?? index)...index
            }
        }
        self.lives = lives
        let groups = Self.groups(steps, lives: lives, sizes: sizes)

        // Largest first, each at the lowest place where it meets no buffer that is alive at the same time.
        offsets = [Int](repeating: 0, count: sizes.count)
        var occupied = OccupiedMemory(steps: steps.count)
        let heads = sizes.indices.filter { groups.head[$0] == $0 && lives[$0] != nil && sizes[$0] > 0 }
        for (count, head) in heads.sorted(by: { (sizes[$0], $1) > (sizes[$1], $0) }).enumerated() {
            guard let life = groups.lives[head] else { continue }
            if count % Self.buffersBetweenQuestions == 0 { try ask() }
            let (padded, overflow) = sizes[head].addingReportingOverflow(MemoryAccount.alignment - 1)
            if overflow { throw MemoryError.impossibleSize(what: "the intermediate values of a plan") }
            let needed = padded & ~(MemoryAccount.alignment - 1)
            let start = occupied.lowestPlace(for: needed, during: life)
            let (end, endOverflow) = start.addingReportingOverflow(needed)
            if endOverflow { throw MemoryError.impossibleSize(what: "the intermediate values of a plan") }
            offsets[head] = start
            size = max(size, end)
            occupied.insert(start..<end, during: life)
        }
        for (buffer, head) in groups.head.enumerated() { offsets[buffer] = offsets[head] }
    }

    private static let buffersBetweenQuestions = 256

    /// Groups of buffers that share memory in place: of each buffer the head of its group, of each head the union of its members'
    /// lives.
    private static func groups(
        _ steps: [Step], lives: [ClosedRange<Int>?], sizes: [Int]
    ) -> (head: [Int], lives: [ClosedRange<Int>?]) {
        var head = Array(sizes.indices)
        var headLives = lives
        for (index, step) in steps.enumerated() {
            var taken: Set<Int> = []
            for pair in step.inPlace {
                guard case .buffer(let written) = step.writes[pair.write],
                    case .buffer(let read) = step.reads[pair.read],
                    written != read, sizes[written] == sizes[read], head[written] == written, !taken.contains(written),
                    let readLife = lives[read], readLife.upperBound == index, let writtenLife = lives[written],
                    writtenLife.lowerBound == index, !taken.contains(read),
                    step.reads.filter({ $0.whole == .buffer(read) }).count == 1
                else { continue }
                taken.insert(written)
                taken.insert(read)
                head[written] = head[read]
                if let life = headLives[head[read]] {
                    headLives[head[read]] = life.lowerBound...max(life.upperBound, writtenLife.upperBound)
                }
            }
        }
        return (head, headLives)
    }
}
