import CKernels
import Graph

/// Writes steps as the C executor's structures.
struct CallEncoder {
    let memory: CallMemory
    let level: Int
    let inputs: Int
    /// Byte offset of each arena buffer.
    let offsets: [Int]

    func encode(_ step: Step) throws -> ck_call {
        let (kernel, parameters): (ck_kernel?, UnsafeRawPointer)
        switch step.kernel {
        case .product(let call): (kernel, parameters) = encode(call)
        case .region(let call): (kernel, parameters) = try encode(call)
        case .reduce(let call): (kernel, parameters) = encode(call)
        case .copy(let call): (kernel, parameters) = encode(call)
        case .rows(let call): (kernel, parameters) = encode(call)
        case .pad(let call): (kernel, parameters) = encode(call)
        case .columnDots(let call): (kernel, parameters) = encode(call)
        case .convolution(let call): (kernel, parameters) = encode(call)
        case .convolutionPack(let call): (kernel, parameters) = encode(call)
        case .convolutionSum(let call): (kernel, parameters) = encode(call)
        }
        guard let kernel else { throw PlanError.unsupported("\(step.label)") }
        switch step.kernel {
        case .copy(let call) where call.squareAxis == nil && call.axes.extents.count > Int(CK_REGION_RANK):
            throw PlanError.unsupported("\(step.label), of more than \(CK_REGION_RANK) axes")
        case .pad(let call) where call.extents.count > Int(CK_REGION_RANK):
            throw PlanError.unsupported("\(step.label), of more than \(CK_REGION_RANK) axes")
        default: break
        }
        return ck_call(
            kernel: kernel, tiles: Int64(step.tiles), refs: memory.store(refs(step)),
            parameters: parameters)
    }

    /// Operands, then results; a product's result comes before its addend and scale, a region's before the product it computes.
    private func refs(_ step: Step) -> [ck_ref] {
        switch step.kernel {
        case .product: return (step.reads.prefix(2) + step.writes + step.reads.dropFirst(2)).map(ref)
        case .region(let call) where call.product != nil:
            return (step.reads.dropLast(2) + step.writes + step.reads.suffix(2)).map(ref)
        default: break
        }
        return (step.reads + step.writes).map(ref)
    }

    /// Calls that are made tile by tile.
    func lanes(_ calls: UnsafeMutablePointer<ck_call>, _ group: Range<Int>) -> ck_call {
        let lanes = ck_lanes(calls: calls + group.lowerBound, count: Int64(group.count))
        return ck_call(
            kernel: ck_lanes_kernel(), tiles: calls[group.lowerBound].tiles, refs: nil, parameters: parameters(lanes))
    }

    func ref(_ storage: Storage) -> ck_ref {
        switch storage {
        case .buffer(let buffer): ck_ref(slot: 0, offset: Int64(offsets[buffer]))
        case .constant(let offset): ck_ref(slot: 1, offset: Int64(offset))
        case .input(let index): ck_ref(slot: Int64(2 + index), offset: 0)
        case .output(let index): ck_ref(slot: Int64(2 + inputs + index), offset: 0)
        case .part(let whole, let bytes): ck_ref(slot: ref(whole).slot, offset: ref(whole).offset + Int64(bytes))
        }
    }

    func numbers(_ values: [Int]) -> UnsafePointer<Int64> {
        UnsafePointer(memory.store(values.map(Int64.init)))
    }

    func parameters<T: BitwiseCopyable>(_ value: T) -> UnsafeRawPointer {
        UnsafeRawPointer(memory.store([value]))
    }

    private func encode(_ call: ProductCall) -> (ck_kernel?, UnsafeRawPointer) {
        (kernel(call), parameters(product(call)))
    }

    private func kernel(_ call: ProductCall) -> ck_kernel? {
        let kind =
            switch call.kind {
            case .blas: CK_PRODUCT_BLAS
            case .inner: CK_PRODUCT_INNER
            case .outer: CK_PRODUCT_OUTER
            case .packed: CK_PRODUCT_PACKED
            }
        return ck_product_kernel_for(
            Int32(kind.rawValue), Int32(call.element.kernelElement), Int32(call.result.kernelElement), Int32(level))
    }

    private func product(_ call: ProductCall) -> ck_product {
        var p = ck_product()
        p.element = Int64(call.element.kernelElement)
        p.result = Int64(call.result.kernelElement)
        p.accumulate = call.accumulates ? 1 : 0
        (p.m, p.n, p.k) = (Int64(call.m), Int64(call.n), Int64(call.k))
        (p.a_row, p.a_column) = (Int64(call.aRow), Int64(call.aColumn))
        (p.b_row, p.b_column) = (Int64(call.bRow), Int64(call.bColumn))
        p.c_row = Int64(call.cRow)
        p.batches = Int64(call.batches)
        p.batch_rank = Int64(call.batchExtents.count)
        p.batch_extents = numbers(call.batchExtents)
        p.batch_a = numbers(call.aBatch)
        p.batch_b = numbers(call.bBatch)
        p.batch_c = numbers(call.cBatch)
        (p.tile_m, p.tile_n, p.tile_batches) = (Int64(call.tileM), Int64(call.tileN), Int64(call.tileBatches))
        p.k_chunk = Int64(call.kChunk)
        return p
    }

    private func encode(_ call: RegionCall) throws -> (ck_kernel?, UnsafeRawPointer) {
        func place(_ place: RegionCall.Place) -> Int32 {
            switch place {
            case .operand(let index): Int32(index)
            case .result(let index): Int32(call.operands.count + index)
            case .register(let index): Int32(call.operands.count + call.resultElements.count + index)
            }
        }
        let axis = call.walk.axis
        let operands = call.operands.map { operand in
            let access =
                switch operand.access {
                case .contiguous: CK_CONTIGUOUS
                case .scalar: CK_SCALAR
                case .inPlace: CK_IN_PLACE
                case .strided: CK_STRIDED
                case .computed: CK_COMPUTED
                case .carried: CK_CARRIED
                }
            return ck_region_operand(
                access: Int64(access.rawValue), size: Int64(operand.element.byteCount),
                outer: numbers(Array(operand.strides[..<axis])), walk: Int64(operand.strides[axis]),
                rank: Int64(operand.block.extents.count), extents: numbers(operand.block.extents),
                block_strides: numbers(operand.block.strides), step: Int64(operand.step),
                carry: Int64(operand.carry ?? 0))
        }
        let reductions = call.reductions.map { reduction in
            let result = call.walk.stretchTiles > 1 ? ElementType.f64 : reduction.element
            return ck_region_reduction(
                kind: Int64((reduction.isSum ? CK_SUM : CK_MAX).rawValue),
                element: Int64(reduction.element.kernelElement), result: Int64(result.kernelElement),
                place: Int64(place(reduction.place)))
        }
        let instructions = try call.instructions.map { instruction -> ck_instruction in
            guard
                let operation = ck_block_operation_for(
                    Int32(instruction.opcode), Int32(instruction.element.kernelElement), Int32(level))
            else {
                throw PlanError.unsupported("block operation \(instruction.opcode) of \(instruction.element.rawValue)")
            }
            let sources = instruction.sources.map(place) + [0, 0, 0]
            return ck_instruction(
                operation: operation, result: place(instruction.result), a: sources[0], b: sources[1], c: sources[2])
        }
        var p = ck_region()
        let walk = call.walk
        (p.block_units, p.unit, p.line_units) = (Int64(walk.blockUnits), Int64(walk.unit), Int64(walk.lineUnits))
        (p.line_blocks, p.blocks) = (Int64(walk.lineBlocks), Int64(walk.blocks))
        (p.tile_blocks, p.stretch_blocks) = (Int64(walk.tileBlocks), Int64(walk.stretchBlocks))
        p.stretch_tiles = Int64(walk.stretchTiles)
        p.outer_rank = Int64(axis)
        p.outer_extents = numbers(Array(call.extents[..<axis]))
        (p.operands, p.results) = (Int64(call.operands.count), Int64(call.resultElements.count))
        (p.registers, p.instructions) = (Int64(call.registerSizes.count), Int64(call.instructions.count))
        p.operand = UnsafePointer(memory.store(operands))
        p.result_size = numbers(call.resultElements.map(\.byteCount))
        p.result_row = numbers(call.resultElements.indices.map { call.rows[$0]?.length ?? 0 })
        p.result_stride = numbers(call.resultElements.indices.map { call.rows[$0]?.stride ?? 0 })
        p.register_size = numbers(call.registerSizes)
        p.instruction = UnsafePointer(memory.store(instructions))
        if let chain = RegionChain(call), let loop = chain.loop(level: level) {
            p.chain = loop
            p.chain_places = UnsafePointer(memory.store(chain.places.map(place)))
        }
        p.reductions = Int64(call.reductions.count)
        p.reduction = UnsafePointer(memory.store(reductions))
        (p.reduced, p.inner) = (Int64(call.reduced), Int64(call.inner))
        (p.count, p.steps, p.reversed) = (Int64(call.count), Int64(call.steps.count), call.steps.isReversed ? 1 : 0)
        if let computed = call.product {
            p.product = UnsafePointer(memory.store([product(computed.call)]))
            p.product_kernel = kernel(computed.call)
            p.product_rows = Int64(computed.rows)
        }
        return (ck_region_kernel(Int32(level)), parameters(p))
    }

    private func encode(_ call: ReduceCall) -> (ck_kernel?, UnsafeRawPointer) {
        var p = ck_reduce()
        p.kind = Int64((call.isSum ? CK_SUM : CK_MAX).rawValue)
        p.element = Int64(call.element.kernelElement)
        p.result = Int64(call.result.kernelElement)
        p.count = Int64(call.kept.count)
        p.kept_rank = Int64(call.kept.extents.count)
        p.reduced_rank = Int64(call.reduced.extents.count)
        p.kept_extents = numbers(call.kept.extents)
        p.kept_strides = numbers(call.kept.strides)
        p.reduced_extents = numbers(call.reduced.extents)
        p.reduced_strides = numbers(call.reduced.strides)
        (p.chunks, p.chunk, p.tile) = (Int64(call.chunks), Int64(call.chunk), Int64(call.tile))
        return (ck_reduce_kernel(Int32(call.element.kernelElement), Int32(level)), parameters(p))
    }

    private func encode(_ call: CopyCall) -> (ck_kernel?, UnsafeRawPointer) {
        var p = ck_copy()
        p.size = Int64(call.size)
        p.count = Int64(call.axes.count)
        p.rank = Int64(call.axes.extents.count)
        p.extents = numbers(call.axes.extents)
        p.strides = numbers(call.axes.strides)
        p.result_strides = call.resultStrides.map(numbers)
        p.axis = Int64(call.squareAxis ?? 0)
        p.tile = Int64(call.tile)
        return (ck_copy_kernel(call.squareAxis == nil ? 0 : 1, Int32(level)), parameters(p))
    }

    private func encode(_ call: RowsCall) -> (ck_kernel?, UnsafeRawPointer) {
        var p = ck_rows()
        p.element = Int64(call.element.kernelElement)
        (p.batches, p.rows, p.length) = (Int64(call.batches), Int64(call.rows), Int64(call.length))
        (p.indices, p.tile, p.columns) = (Int64(call.indices), Int64(call.tile), Int64(call.columns))
        let kind = call.isGather ? CK_GATHER : CK_SCATTER_ADD
        return (
            ck_rows_kernel_for(Int32(kind.rawValue), Int32(call.element.kernelElement), Int32(level)), parameters(p)
        )
    }

    private func encode(_ call: PadCall) -> (ck_kernel?, UnsafeRawPointer) {
        var p = ck_pad()
        p.size = Int64(call.size)
        p.rank = Int64(call.extents.count)
        p.extents = numbers(call.extents)
        p.operand_extents = numbers(call.operandExtents)
        p.low = numbers(call.low)
        p.step = numbers(call.step)
        (p.rows, p.tile) = (Int64(call.rows), Int64(call.tile))
        return (ck_pad_kernel(Int32(level)), parameters(p))
    }
}
