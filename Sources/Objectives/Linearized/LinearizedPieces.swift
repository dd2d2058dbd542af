import Compute
import Graph
import Networks

/// The pieces of the data, each with what is kept of the point for a function of tangents that is evaluated there many times.
///
/// What does not fit is computed anew for each block of tangents, by the same plans: slower, with the same bits. Which pieces those
/// are is a matter of the memory limit and of sizes, and so is the work that is counted. Where memory is short at the moment
/// because of all else in it, more of them are computed anew, and that is not counted.
/// Holds its parameters and the kept values until it is released.
final class LinearizedPieces {
    private struct Part {
        let piece: Oracle.Piece
        let program: LinearizedProgram
        /// What is kept of the point; nil where it is computed anew.
        let kept: [Buffer]?
        /// Whether that it is computed anew is only for want of memory at the moment.
        let shouldBeKept: Bool
    }

    private let work: OracleWork
    private let oracle: Oracle
    private let theta: Vector
    private let rows: Oracle.Rows
    private var parts: [Part] = []
    /// Memory for the point of one piece that is not kept, by the piece's size, of which there are two at most.
    private var transient: [Int: [Buffer]] = [:]
    /// Whether results of pieces are added to those of others.
    private let adds: Bool

    var count: Int { parts.count }
    /// Pieces whose point is computed anew.
    var recomputed: Int { parts.count { $0.kept == nil } }
    /// Bytes kept.
    var keptBytes: Int { parts.reduce(0) { $0 + ($1.kept == nil ? 0 : $1.program.residualBytes) } }

    /// - Parameters:
    ///   - work: one that is split at a point.
    ///   - oracle: one whose running values do not change.
    ///   - adds: whether the plans add to accumulators where there are several pieces.
    ///   - room: bytes that may be kept.
    init(
        _ work: OracleWork, oracle: Oracle, theta: Vector, rows: Oracle.Rows, adds: Bool, room: Int
    ) throws {
        self.work = work
        self.oracle = oracle
        self.theta = theta
        self.rows = rows
        var found: [Oracle.Piece] = []
        try oracle.forEachPiece(of: rows, for: work) { found.append($0) }
        let adding = adds && found.count > 1
        self.adds = adding
        let pieces = try found.map { piece in
            (piece: piece, program: try oracle.linearizedProgram(work, count: piece.count, adding: adding))
        }
        var room = room
        // Of what is free now, a quarter of all memory remains for vectors and plans, and the room for a piece computed anew.
        var spare = MemoryAccount.shared.limit / 4 * 3 - MemoryAccount.shared.used
        let all = pieces.reduce(0) { $0 + $1.program.residualBytes }
        if all > min(room, spare) {
            for (piece, program) in pieces where transient[piece.count] == nil {
                transient[piece.count] = try memory(for: program, piece)
                spare -= program.residualBytes
            }
        }
        try theta.withUnsafeBytes { bytes in
            let parameters = oracle.layout.views(of: bytes.baseAddress!, element: oracle.element)
            for (piece, program) in pieces {
                var kept: [Buffer]?
                let fits = program.residualBytes <= room
                if fits {
                    room -= program.residualBytes
                    let memory: [Buffer]
                    if program.residualBytes <= spare {
                        memory = try self.memory(for: program, piece)
                        spare -= program.residualBytes
                        kept = memory
                    } else {
                        memory = transient[piece.count] ?? []
                    }
                    try run(point: program, inputs(parameters, piece), into: memory)
                }
                parts.append(Part(piece: piece, program: program, kept: kept, shouldBeKept: fits))
            }
        }
        let isAnew = Set(parts.filter { $0.kept == nil }.map(\.piece.count))
        transient = transient.filter { isAnew.contains($0.key) }
    }

    private func memory(for program: LinearizedProgram, _ piece: Oracle.Piece) throws -> [Buffer] {
        try oracle.explaining(work, oracle.words(forPieceOf: piece.count)) {
            // As one request, so that a refusal names what is needed in all.
            let what = "the point of a linearized product"
            try MemoryAccount.shared.check(bytes: program.residualBytes, for: what)
            return try program.kept.map {
                try MemoryAccount.shared.allocate(count: $0.elementCount(), stride: $0.element.byteCount, for: what)
            }
        }
    }

    private func inputs(_ parameters: [UnsafeRawPointer], _ piece: Oracle.Piece) -> [UnsafeRawPointer] {
        var operands = oracle.operands(at: parameters)
        operands.set(.input, [piece.inputs])
        operands.set(.target, [piece.targets])
        operands.set(.weights, [piece.weights])
        return operands.inputs(oracle.objective.signature(of: work, oracle.use))
    }

    /// Computes what is kept of a point.
    private func run(point program: LinearizedProgram, _ inputs: [UnsafeRawPointer], into memory: [Buffer]) throws {
        guard let plan = program.point else { return }
        try oracle.run(plan, inputs: inputs, outputs: memory.map(\.base))
    }

    /// The cost of one evaluation, in multiply-adds of the cost model, alone in its block.
    func cost() throws -> Double {
        try parts.reduce(0) { sum, part in
            let again = part.shouldBeKept ? 0 : part.program.point?.work ?? 0
            return try sum + part.program.linear(adding: adds).work + again
        }
    }

    /// Evaluates the function for a block of tangents, piece after piece: what is not kept of a point is computed once for all.
    /// - Parameters:
    ///   - tangents: for each of the block, where the tangent of each parameter lies.
    ///   - outputs: for each of the block, where the outputs go; accumulators where these are added to.
    ///   - afterPiece: called after each piece.
    func run(
        tangents: [[UnsafeRawPointer]], outputs: [[UnsafeMutableRawPointer]], afterPiece: () -> Void = {}
    ) throws {
        try theta.withUnsafeBytes { bytes in
            let parameters = oracle.layout.views(of: bytes.baseAddress!, element: oracle.element)
            for part in parts {
                let plan = try part.program.linear(adding: adds)
                let point = part.kept ?? transient[part.piece.count] ?? []
                let inputs = inputs(parameters, part.piece)
                if part.kept == nil {
                    let before = oracle.work
                    try run(point: part.program, inputs, into: point)
                    if part.shouldBeKept { oracle.forgetWork(since: before) }
                }
                let residuals = part.program.residuals.map { source -> UnsafeRawPointer in
                    switch source {
                    case .input(let index): inputs[index]
                    case .computed(let index): UnsafeRawPointer(point[index].base)
                    }
                }
                try oracle.run(
                    plan,
                    each: zip(tangents, outputs).map { along, outputs in
                        PlanBinding(
                            inputs: residuals + along + (adds ? outputs.map { UnsafeRawPointer($0) } : []),
                            outputs: outputs)
                    })
                afterPiece()
            }
        }
    }
}
