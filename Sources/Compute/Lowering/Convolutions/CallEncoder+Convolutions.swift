import CKernels

extension CallEncoder {
    func encode(_ call: ConvolutionCall) -> (ck_kernel?, UnsafeRawPointer) {
        let kind = call.kind == .positions ? CK_CONVOLUTION_POSITIONS : CK_CONVOLUTION_GRADIENT
        let kernel = ck_convolution_kernel_for(
            Int32(kind.rawValue), Int32(call.element.kernelElement), Int32(level))
        var p = ck_convolution()
        p.axis = (axis(call.axes[0]), axis(call.axes[1]), axis(call.axes[2]))
        for axis in call.axes where axis.reversed { p.w_offset += Int64((axis.window - 1) * axis.w) }
        (p.groups, p.group_rank) = (Int64(call.groups.count), Int64(call.groups.extents.count))
        p.group_extents = numbers(call.groups.extents)
        (p.group_x, p.group_w, p.group_y) = (numbers(call.groups.x), numbers(call.groups.w), numbers(call.groups.y))
        // Where a lone entry is to be the row, it is an axis.
        let isLone = call.alongFree && call.frees.extents.isEmpty
        p.frees = Int64(call.frees.count)
        p.free_rank = isLone ? 1 : Int64(call.frees.extents.count)
        p.free_extents = numbers(isLone ? [1] : call.frees.extents)
        p.free_x = numbers(isLone ? [0] : call.frees.x)
        p.free_y = numbers(isLone ? [0] : call.frees.y)
        // The same where a lone channel is to be the run.
        let isLoneChannel = call.channels.extents.isEmpty
        p.channels = Int64(call.channels.count)
        p.channel_rank = isLoneChannel ? 1 : Int64(call.channels.extents.count)
        p.channel_extents = numbers(isLoneChannel ? [1] : call.channels.extents)
        p.channel_x = numbers(isLoneChannel ? [1] : call.channels.x)
        p.channel_w = numbers(isLoneChannel ? [1] : call.channels.w)
        (p.columns, p.tile_columns) = (Int64(call.columns), Int64(call.tileColumns))
        p.tile_free = Int64(call.tileFree)
        p.along_free = call.alongFree ? 1 : 0
        p.channel_block = Int64(call.channelBlock)
        p.copied = call.isCopied ? 1 : 0
        (p.copied_from, p.copied_span) = (Int64(call.axes[2].reach.lowerBound), Int64(call.axes[2].reach.count))
        (p.tile_lines, p.tile_entries) = (Int64(call.tileLines), Int64(call.tileEntries))
        p.packed_group = Int64(call.packedGroup)
        p.along_channels = call.alongChannels ? 1 : 0
        (p.parts, p.part, p.block) = (Int64(call.parts), Int64(call.part), Int64(call.block))
        p.tile_groups = Int64(call.tileGroups)
        return (kernel, parameters(p))
    }

    private func axis(_ axis: ConvolutionAxis) -> ck_convolution_axis {
        ck_convolution_axis(
            out: Int64(axis.out), in: Int64(axis.input), window: Int64(axis.window), stride: Int64(axis.stride),
            low: Int64(axis.low), lhs_dilation: Int64(axis.lhsDilation), rhs_dilation: Int64(axis.rhsDilation),
            x: Int64(axis.x), w: Int64(axis.reversed ? -axis.w : axis.w), y: Int64(axis.y))
    }

    func encode(_ call: ConvolutionPackCall) -> (ck_kernel?, UnsafeRawPointer) {
        func three(_ value: (ConvolutionAxis) -> Int) -> (Int64, Int64, Int64) {
            (Int64(value(call.axes[0])), Int64(value(call.axes[1])), Int64(value(call.axes[2])))
        }
        var p = ck_convolution_pack()
        p.window = three(\.window)
        p.window_stride = three(\.w)
        p.reversed = three { $0.reversed ? 1 : 0 }
        (p.groups, p.group_rank) = (Int64(call.groups.count), Int64(call.groups.extents.count))
        (p.group_extents, p.group_stride) = (numbers(call.groups.extents), numbers(call.groups.w))
        (p.channels, p.channel_rank) = (Int64(call.channels.count), Int64(call.channels.extents.count))
        (p.channel_extents, p.channel_stride) = (numbers(call.channels.extents), numbers(call.channels.w))
        (p.columns, p.column_rank) = (Int64(call.columns.count), Int64(call.columns.extents.count))
        (p.column_extents, p.column_stride) = (numbers(call.columns.extents), numbers(call.columns.w))
        (p.channel_block, p.packed_group) = (Int64(call.channelBlock), Int64(call.packedGroup))
        return (ck_convolution_pack_kernel(Int32(call.element.kernelElement), Int32(level)), parameters(p))
    }

    func encode(_ call: ConvolutionSumCall) -> (ck_kernel?, UnsafeRawPointer) {
        var p = ck_convolution_sum()
        (p.parts, p.part) = (Int64(call.parts), Int64(call.rows.count * call.columns))
        (p.rows, p.columns, p.rank) = (Int64(call.rows.count), Int64(call.columns), Int64(call.rows.extents.count))
        (p.extents, p.strides) = (numbers(call.rows.extents), numbers(call.rows.strides))
        (p.column_stride, p.tile) = (Int64(call.columnStride), Int64(call.tile))
        return (ck_convolution_sum_kernel(Int32(call.element.kernelElement), Int32(level)), parameters(p))
    }
}
