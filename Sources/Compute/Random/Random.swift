/// What a stream of random numbers is for. Streams of different purposes never share a word, so measuring with random
/// batches does not change the order of training, and asking for label noise does not change which samples are taken.
///
/// The raw values are stored in run files and are part of every stream: they never change.
public enum RandomPurpose: UInt16, Sendable, Hashable, Codable, CaseIterable {
    /// Initial parameters of a model.
    case initialisation = 1
    /// The order of the training samples; the index is the epoch.
    case sampler = 2
    /// Wrong labels given to a share of the training samples.
    case labels = 3
    /// The samples that a training subset is made of.
    case subset = 4
    /// Noise added by an update rule.
    case noise = 5
    /// Batches and vectors drawn by a probe.
    case probe = 6
    /// Random vectors asked for by the user.
    case vector = 7
    /// Start vectors of eigensolvers.
    case eigensolver = 8
    /// Generated data sets.
    case data = 9
    /// Numbers drawn by a script.
    case script = 10
    /// Random inputs of the tests.
    case test = 11
}

/// A stream of random numbers that is a pure function of (seed, purpose, index, position): Philox4x32-10.
///
/// The seed is the key of the cipher. Its 128-bit counter is made of the index (64 bits), the purpose (16 bits) and the number of
/// a block of four words (48 bits); two streams therefore never run through the same counter, whatever their lengths. A
/// stream has 2⁵⁰ words and then begins anew.
///
/// Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
public struct RandomStream: Sendable {
    public let seed: UInt64
    public let purpose: RandomPurpose
    public let index: UInt64

    private var word: UInt64 = 0
    /// The block that `word` lies in; meaningful only between two block borders.
    private var block = SIMD4<UInt32>()

    static let period: UInt64 = 1 << 50

    /// The stream of this seed, purpose and index, at its first word.
    public init(seed: UInt64, purpose: RandomPurpose, index: UInt64 = 0) {
        self.seed = seed
        self.purpose = purpose
        self.index = index
    }

    /// How many 32-bit words have been taken. Setting it continues from there, in constant time; it counts modulo 2⁵⁰.
    public var position: UInt64 {
        get { word }
        set {
            word = newValue & (Self.period - 1)
            if word & 3 != 0 { block = words(ofBlock: word >> 2) }
        }
    }

    /// The next word; one word is taken.
    @inline(__always)
    public mutating func nextUInt32() -> UInt32 {
        if word & 3 == 0 { block = words(ofBlock: word >> 2) }
        let value = block[Int(word & 3)]
        word = (word &+ 1) & (Self.period &- 1)
        return value
    }

    /// Two words, the first one the lower half.
    @inline(__always)
    public mutating func nextUInt64() -> UInt64 {
        let low = nextUInt32()
        return UInt64(low) | UInt64(nextUInt32()) << 32
    }

    /// A multiple of 2⁻⁵³ in [0, 1); two words are taken.
    @inline(__always)
    public mutating func uniform() -> Double {
        Self.uniform(nextUInt64())
    }

    /// −1 or 1; one word is taken.
    public mutating func sign() -> Double {
        nextUInt32() & 1 == 0 ? -1 : 1
    }

    @inline(__always)
    static func uniform(_ bits: UInt64) -> Double {
        Double(bits >> 11) * 0x1p-53
    }

    /// The four words of one block of this stream.
    @inline(__always)
    func words(ofBlock number: UInt64) -> SIMD4<UInt32> {
        let counter = SIMD4<UInt32>(
            UInt32(truncatingIfNeeded: number),
            UInt32(truncatingIfNeeded: number >> 32) & 0xFFFF | UInt32(purpose.rawValue) << 16,
            UInt32(truncatingIfNeeded: index),
            UInt32(truncatingIfNeeded: index >> 32))
        return Self.philox4x32(
            counter: counter, key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
    }

    /// Ten rounds of Philox4x32.
    @inline(__always)
    static func philox4x32(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var (x0, x1, x2, x3) = (counter[0], counter[1], counter[2], counter[3])
        var (k0, k1) = (key[0], key[1])
        for _ in 0..<10 {
            let product0 = UInt64(x0) &* 0xD251_1F53
            let product1 = UInt64(x2) &* 0xCD9E_8D57
            x0 = UInt32(truncatingIfNeeded: product1 >> 32) ^ x1 ^ k0
            x1 = UInt32(truncatingIfNeeded: product1)
            x2 = UInt32(truncatingIfNeeded: product0 >> 32) ^ x3 ^ k1
            x3 = UInt32(truncatingIfNeeded: product0)
            k0 &+= 0x9E37_79B9  // the golden ratio and √3 − 1: the Weyl sequence of the key
            k1 &+= 0xBB67_AE85
        }
        return SIMD4(x0, x1, x2, x3)
    }
}

extension RandomStream: Hashable, Codable {
    public static func == (a: RandomStream, b: RandomStream) -> Bool {
        a.seed == b.seed && a.purpose == b.purpose && a.index == b.index && a.word == b.word
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(seed)
        hasher.combine(purpose)
        hasher.combine(index)
        hasher.combine(word)
    }

    private enum CodingKeys: String, CodingKey {
        case seed, purpose, index, position
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            seed: try values.decode(UInt64.self, forKey: .seed),
            purpose: try values.decode(RandomPurpose.self, forKey: .purpose),
            index: try values.decode(UInt64.self, forKey: .index))
        position = try values.decode(UInt64.self, forKey: .position)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(seed, forKey: .seed)
        try values.encode(purpose, forKey: .purpose)
        try values.encode(index, forKey: .index)
        try values.encode(position, forKey: .position)
    }
}
