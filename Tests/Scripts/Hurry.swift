import Foundation

/// What slow scripts of these tests look for, to be quick from then on: a file with an array of one number.
enum Hurry {
    static func write(to folder: URL) throws {
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".padding(
            toLength: 117, withPad: " ", startingAt: 0)
        let bytes =
            [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array((header + "\n").utf8)
            + [UInt8](repeating: 0, count: 8)
        try Data(bytes).write(to: folder.appendingPathComponent("hurry.npy"))
    }
}
