import Graph

/// One spatial axis of a convolution with its strides in memory; extents and strides count elements.
struct ConvolutionAxis: Hashable {
    var out = 1
    var input = 1
    var window = 1
    var stride = 1
    var low = 0
    var lhsDilation = 1
    var rhsDilation = 1
    var reversed = false
    var x = 0
    var w = 0
    var y = 0

    /// Result places so far apart meet the same window places.
    var phases: Int { lhsDilation / greatestCommonDivisor(lhsDilation, stride) }

    /// The places of the data that result places and window places meet, those beyond its ends counted.
    var reach: ClosedRange<Int> {
        let last = (out - 1) * stride + (window - 1) * rhsDilation - low
        return floorDivide(-low, lhsDilation)...max(floorDivide(-low, lhsDilation), floorDivide(last, lhsDilation))
    }

    /// Places of the data that so many neighbouring result places reach.
    func reached(by count: Int) -> Int {
        min(input, ((count - 1) * stride + (window - 1) * rhsDilation) / lhsDilation + 1)
    }
}

/// Axes that are walked together, with their strides in several operands; strides that an operand lacks are 0.
struct ConvolutionAxes: Hashable {
    var extents: [Int]
    var x: [Int]
    var w: [Int]
    var y: [Int]
    var count: Int { extents.reduce(1, *) }

    init(_ extents: [Int], x: [Int]? = nil, w: [Int]? = nil, y: [Int]? = nil) {
        let none = extents.map { _ in 0 }
        let collapsed = Axes.collapsed(extents, [x ?? none, w ?? none, y ?? none])
        self.extents = collapsed.extents
        (self.x, self.w, self.y) = (collapsed.strides[0], collapsed.strides[1], collapsed.strides[2])
    }

    static func + (a: Self, b: Self) -> Self {
        ConvolutionAxes(a.extents + b.extents, x: a.x + b.x, w: a.w + b.w, y: a.y + b.y)
    }
}

/// A call of one of the two convolution kernels: `ck_convolution`.
struct ConvolutionCall {
    enum Kind: String {
        /// Few window places, many result places: forward, and by the data.
        case positions
        /// Many window places, few result places: by the kernel.
        case gradient
    }
    var kind: Kind
    var element: ElementType
    var axes: [ConvolutionAxis]
    var groups: ConvolutionAxes
    var frees: ConvolutionAxes
    var channels: ConvolutionAxes
    var columns: Int
    var tileColumns = 0
    var tileFree = 1

    var alongFree = false
    var channelBlock = 1
    var isCopied = false
    var tileLines = 1
    var tileEntries = 1

    var alongChannels = false
    var parts = 1
    var part = 1
    var block = 1
    var tileGroups = 1

    /// Columns are packed and cut in multiples of this.
    static let columnMultiple = 32
    /// Packed columns are filled up to whole vectors, of at most so many elements.
    static let mostLanes = 16

    var outPlaces: Int { axes.reduce(1) { $0 * $1.out } }
    var windowPlaces: Int { axes.reduce(1) { $0 * $1.window } }
    var packedGroup: Int { windowPlaces * channels.count * roundUp(columns, to: Self.mostLanes) }
    /// Multiply-adds, those with zeros counted.
    var work: Double {
        [groups.count, frees.count, outPlaces, windowPlaces, channels.count].reduce(Double(columns)) { $0 * Double($1) }
    }
    /// Entries of the free axis that is the rows.
    var rows: Int { alongFree ? frees.extents.last ?? 1 : 1 }
    /// Lines of terms, or terms of a run, that the parts of a gradient share.
    var lines: Int {
        alongChannels ? channels.extents.last ?? 1 : channels.count * axes[0].window * axes[1].window
    }

    /// With few rows (colours), the places of axis 2 become rows, too, where they lie between them and meet the whole window:
    /// three channels by three places fill the register tile, three channels alone do not.
    mutating func joinPlacesToFewRows() {
        let across = axes[2]
        guard frees.count <= 4, across.out > 1, across.lhsDilation == 1, across.stride * across.x == frees.count,
            across.reach.lowerBound >= 0, across.reach.upperBound < across.input
        else { return }
        frees = ConvolutionAxes([across.out * frees.count], x: [1])
        axes[2].out = 1
    }

    var tiles: Int {
        let columnTiles = ceilDivide(columns, tileColumns)
        switch kind {
        case .positions:
            let entries = groups.count * (frees.count / rows)
            return columnTiles * ceilDivide(axes[1].out, tileLines) * axes[0].out
                * (alongFree ? ceilDivide(rows, tileFree) : 1) * ceilDivide(entries, tileEntries)
        case .gradient:
            return columnTiles * ceilDivide(frees.count, tileFree) * ceilDivide(groups.count, tileGroups) * parts
        }
    }
}

/// The right operand, packed for `positions`: `ck_convolution_pack`.
struct ConvolutionPackCall: Hashable {
    var element: ElementType
    var axes: [ConvolutionAxis]
    var groups: ConvolutionAxes
    var channels: ConvolutionAxes
    var columns: ConvolutionAxes
    var channelBlock: Int
    var packedGroup: Int
    var tiles: Int { groups.count * ceilDivide(columns.count, ConvolutionCall.columnMultiple) }
}

/// The sum of the parts of a gradient, put where it belongs: `ck_convolution_sum`.
struct ConvolutionSumCall {
    var element: ElementType
    var parts: Int
    var rows: Axes
    var columns: Int
    var columnStride: Int
    var tile: Int
    var tiles: Int { ceilDivide(rows.count, tile) }
}

func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }
func floorDivide(_ a: Int, _ b: Int) -> Int { a >= 0 ? a / b : -ceilDivide(-a, b) }
