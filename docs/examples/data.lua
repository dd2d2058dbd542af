--- eoss.data.cifar10 (needs data)
local data = eoss.data.cifar10{ n = 5000, test_n = 1000 }

--- eoss.data.fashion_mnist (needs data)
local data = eoss.data.fashion_mnist{ n = 2048, label_noise = 0.3, seed = 1 }

--- eoss.data.mnist (needs data)
local data = eoss.data.mnist{ per_class = 100 }

--- eoss.data.svhn (needs data)
local data = eoss.data.svhn{ n = 1000, classes = { 0, 1 } }

--- eoss.data.arrays
local data = eoss.data.arrays{ inputs = eoss.arrays.from{ { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } }, labels = { 0, 1, 1, 0 } }
print(data)

--- eoss.data.csv (needs data)
local data = eoss.data.csv{ path = "mnist_5k.csv.gz", label = -1, shape = { 1, 28, 28 }, test_n = 1000, n = 2000 }

--- eoss.data.chebyshev
print(eoss.data.chebyshev{ degree = 3, n = 20 })

--- eoss.data.sorting
print(eoss.data.sorting{ n = 16, length = 4, vocabulary = 8 })

--- eoss.data.teacher_student
print(eoss.data.teacher_student{ n = 32, inputs = 5, hidden = { 4 } })

--- eoss.data.gaussian_mixture
print(eoss.data.gaussian_mixture{ n = 32, classes = 3, d = 5 })

--- eoss.data.orthogonal
print(eoss.data.orthogonal{ n = 4, d = 8 })

--- eoss.data.deep_linear
print(eoss.data.deep_linear{ n = 16, d = 5, outputs = 2 })

