/// What is to be known about a data set of images: the one table of all that are loaded from files of their own.
///
/// The others are generated (``Dataset/chebyshev(degree:n:)``, ``Dataset/sorting(n:testCount:vocabulary:length:seed:)``,
/// ``Dataset/teacherStudent(_:)``, ``Dataset/gaussianMixture(n:testCount:classes:dimension:separation:std:means:labelNoise:seed:)``,
/// ``Dataset/orthogonal(n:dimension:seed:)``, ``Dataset/deepLinear(n:dimension:outputs:seed:)``) or made from a user's arrays
/// (``Dataset/arrays(name:inputs:answers:classes:vocabulary:test:)``, with ``ArrayFile``).
public struct ImageFacts: Sendable {
    /// The name in scripts and run files.
    public let name: String
    public let title: String
    /// Who made it.
    public let citation: String
    /// The names of the classes, in the order of the labels from 0.
    public let classNames: [String]
    /// Channels, rows, columns.
    public let imageShape: [Int]
    /// The numbers of training and of test images that are distributed.
    public let sizes: (train: Int, test: Int)
    /// Fixed means and deviations per channel, of pixels in [0, 1], by the code that uses them.
    public let constants: [Standardization: ChannelMoments]
    /// The names of its folder below a data folder.
    public let folders: [String]
    /// How a person gets it.
    public let remedy: String
    let layout: Layout

    /// How its files are laid out.
    enum Layout { case idx, cifar, svhn }

    /// A part of a data set.
    enum Part: String, CaseIterable { case train, test }

    /// Means and standard deviations, one for each channel.
    public struct ChannelMoments: Sendable, Hashable {
        public let mean: [Double]
        public let std: [Double]

        public init(mean: [Double], std: [Double]) { (self.mean, self.std) = (mean, std) }
    }

    /// All data sets of images.
    public static let all = [cifar10, fashionMNIST, mnist, svhn]

    public static let cifar10 = ImageFacts(
        name: "cifar10", title: "CIFAR-10", citation: "Krizhevsky 2009",
        classNames: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
        imageShape: [3, 32, 32], sizes: (50_000, 10_000),
        constants: [
            .eoss: ChannelMoments(mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.2010]),
            .centralFlows: ChannelMoments(
                mean: [0.49139968, 0.48215827, 0.44653124], std: [0.24703233, 0.24348505, 0.26158768]),
        ],
        folders: ["cifar-10-batches-bin", "cifar10", "cifar-10", "CIFAR10"],
        remedy:
            "Get the binary version, https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz, and put it, unpacked or not, "
            + "into a folder; then set EOSS_DATA to the folder",
        layout: .cifar)

    public static let fashionMNIST = ImageFacts(
        name: "fashion_mnist", title: "Fashion-MNIST", citation: "Xiao, Rasul & Vollgraf 2017",
        classNames: [
            "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
        ],
        imageShape: [1, 28, 28], sizes: (60_000, 10_000),
        constants: [.eoss: ChannelMoments(mean: [0.2860], std: [0.3530])],
        folders: ["fashion-mnist", "fashion_mnist", "FashionMNIST/raw", "FashionMNIST"],
        remedy: "On Debian: apt install dataset-fashion-mnist. Elsewhere: put train-images-idx3-ubyte.gz, "
            + "train-labels-idx1-ubyte.gz and the two t10k files of https://github.com/zalandoresearch/fashion-mnist into a folder "
            + "and set EOSS_DATA to it",
        layout: .idx)

    public static let mnist = ImageFacts(
        name: "mnist", title: "MNIST", citation: "LeCun, Bottou, Bengio & Haffner 1998",
        classNames: (0...9).map(String.init), imageShape: [1, 28, 28], sizes: (60_000, 10_000), constants: [:],
        folders: ["mnist", "MNIST/raw", "MNIST"],
        remedy: "Put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz and the two t10k files of "
            + "https://ossci-datasets.s3.amazonaws.com/mnist/ into a folder named mnist and set EOSS_DATA to the folder that "
            + "holds it",
        layout: .idx)

    public static let svhn = ImageFacts(
        name: "svhn", title: "SVHN", citation: "Netzer, Wang, Coates, Bissacco, Wu & Ng 2011",
        classNames: (0...9).map(String.init), imageShape: [3, 32, 32], sizes: (73_257, 26_032),
        constants: [.eoss: ChannelMoments(mean: [0.4377, 0.4438, 0.4728], std: [0.1980, 0.2010, 0.1970])],
        folders: ["svhn", "SVHN"],
        remedy:
            "Put train_32x32.mat and test_32x32.mat of http://ufldl.stanford.edu/housenumbers/ into a folder and set EOSS_DATA "
            + "to it",
        layout: .svhn)

    /// The names under which standardisation by `choice` can be had, for a message.
    public var possibleStandardizations: [Standardization] {
        Standardization.allCases.filter { !$0.isByConstants || constants[$0] != nil }
    }
}
