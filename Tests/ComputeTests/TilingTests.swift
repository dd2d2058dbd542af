import Testing

@testable import Compute

@Suite struct TilingTests {
    @Test func tilesCoverTheExtentInMultiples() {
        for extent in [0, 1, 7, 8, 10, 96, 200, 512, 784, 1000, 8192] {
            for wanted in [1, 2, 3, 8, 21, 64, 256] {
                for multiple in [1, 8, 16] {
                    let tile = evenTile(extent, tiles: wanted, multiple: multiple)
                    #expect(tile > 0 && tile % multiple == 0)
                    #expect(ceilDivide(extent, tile) <= max(2, wanted * 3 / 2))
                }
            }
        }
    }

    @Test func twoThreadsHaveEquallyMuchToDo() {
        for extent in [256, 512, 784, 1024, 2048] {
            for wanted in [8, 11, 16, 21] {
                let tile = evenTile(extent, tiles: wanted, multiple: 8)
                // The busier of two threads has at most a tenth more than half of the work.
                #expect(Double(ceilDivide(ceilDivide(extent, tile), 2) * tile) <= 0.55 * Double(extent))
            }
        }
    }

    @Test func aPartOfRowsHasOneStrideAlongAnAxisThatDoesNotCrossThem() {
        let part = RowsOfPart(length: 12, stride: 40)
        #expect(part.strides([5, 12]) == [40, 1])
        #expect(part.strides([5, 3, 4]) == [40, 4, 1])
        #expect(part.strides([2, 5, 1, 12]) == [200, 40, 12, 1])
        #expect(part.strides([60]) == nil)
        #expect(part.strides([10, 6]) == nil)
    }

    @Test func axesMergeWhereTheyAreWalkedAsOne() {
        let shape = [4, 1, 5, 6]
        #expect(
            Axes(extents: shape, strides: Axes.rowMajorStrides(shape)).collapsed() == Axes(extents: [120], strides: [1])
        )
        #expect(Axes(extents: [4, 5, 6], strides: [0, 6, 1]).collapsed() == Axes(extents: [4, 30], strides: [0, 1]))
        #expect(Axes(extents: [4, 5, 6], strides: [6, 24, 1]).collapsed().extents == [4, 5, 6])
        #expect(Axes(extents: [1, 1], strides: [3, 7]).collapsed().extents == [])
        #expect(Axes(extents: [3, 4], strides: [0, 0]).collapsed() == Axes(extents: [12], strides: [0]))
    }
}
