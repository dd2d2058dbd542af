/// Places for the buffers of a plan in one arena: buffers that are alive at different times share memory.
struct ArenaPlan {
    /// Byte offset of each buffer; buffers that nothing uses have 0.
    private(set) var offsets: [Int]
    /// Bytes of the arena.
    private(set) var size: Int
    /// First and last step that uses each buffer, `nil` where none does. A buffer that shares another's memory in place has its own.
    let lives: [ClosedRange<Int>?]
    let sizes: [Int]

    /// - Parameters:
    ///   - sizes: bytes of each buffer.
    init(steps: [Step], sizes: [Int]) throws(MemoryError) {
        self.sizes = sizes
        var lives = [ClosedRange<Int>?](repeating: nil, count: sizes.count)
        for (index, step) in steps.enumerated() {
            for case .buffer(let buffer) in (step.reads + step.writes).map(\.whole) {
                lives[buffer] = (lives[buffer]?.lowerBound ?? index)...index
            }
        }
        self.lives = lives

        // Groups of buffers that share memory in place: each has one place for the union of its members' lives.
        var group = Array(sizes.indices)
        var groupLife = lives
        for (index, step) in steps.enumerated() {
            var taken: Set<Int> = []
            for pair in step.inPlace {
                guard case .buffer(let written) = step.writes[pair.write],
                    case .buffer(let read) = step.reads[pair.read],
                    written != read, sizes[written] == sizes[read], group[written] == written, !taken.contains(written),
                    let readLife = lives[read], readLife.upperBound == index, let writtenLife = lives[written],
                    writtenLife.lowerBound == index, !taken.contains(read),
                    step.reads.filter({ $0.whole == .buffer(read) }).count == 1
                else { continue }
                taken.insert(written)
                taken.insert(read)
                group[written] = group[read]
                if let life = groupLife[group[read]] {
                    groupLife[group[read]] = life.lowerBound...max(life.upperBound, writtenLife.upperBound)
                }
            }
        }

        // Largest first, each at the lowest place where it meets no buffer that is alive at the same time.
        offsets = [Int](repeating: 0, count: sizes.count)
        size = 0
        var placed: [(life: ClosedRange<Int>, start: Int, end: Int)] = []
        let heads = sizes.indices.filter { group[$0] == $0 && lives[$0] != nil && sizes[$0] > 0 }
        for head in heads.sorted(by: { (sizes[$0], $1) > (sizes[$1], $0) }) {
            guard let life = groupLife[head] else { continue }
            let (padded, overflow) = sizes[head].addingReportingOverflow(MemoryAccount.alignment - 1)
            if overflow { throw .impossibleSize(what: "the intermediate values of a plan") }
            let needed = padded & ~(MemoryAccount.alignment - 1)
            var start = 0
            // `placed` is kept in order of `start`.
            for other in placed where other.life.overlaps(life) {
                if other.start - start >= needed { break }
                start = max(start, other.end)
            }
            let (end, endOverflow) = start.addingReportingOverflow(needed)
            if endOverflow { throw .impossibleSize(what: "the intermediate values of a plan") }
            offsets[head] = start
            size = max(size, end)
            placed.insert((life, start, end), at: placed.firstIndex { $0.start > start } ?? placed.endIndex)
        }
        for buffer in sizes.indices where group[buffer] != buffer { offsets[buffer] = offsets[group[buffer]] }
    }
}
