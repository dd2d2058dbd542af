-- One neuron that encodes and decodes, x ↦ φ(w·x)w, on n orthonormal samples: descent on all of them ends at a dense w along its initial
-- direction, stochastic descent with any smaller batch at one of the samples, and with a ReLU the dense minima have the smaller trace.
-- Ghosh, Frei, Ha & Yu, "The Effect of SGD Batch Size on Autoencoder Learning", arXiv 2308.03215. See docs/papers/autoencoder.md.
local claims, papers, curves, found = require "claims", require "papers", {}, {}
local p = eoss.params({ data = "orthogonal", n = 16, d = 32, batches = { 1, 2, 4, 8, 12, 14, 15, 16 }, seeds = 50, seed = 1, std = 0.01,
                        steps = 40000 },
                      { scales = { paper = { n = 64, d = 256, batches = { 1, 2, 4, 8, 16, 32, 48, 56, 62, 63, 64 }, steps = 400000 } } })
-- At a minimum w·x is zero for the samples that are not in w, and rounding would decide on its sign: the ReLU opens a little later.
local activations = { linear = function(a) return a end, relu = function(a) return eoss.relu(a - 1e-9) end }
local function samples(seed) return papers.orthonormal(p.data, { n = p.n, d = p.d, seed = seed }) end
local function start(kind, b, seed, data)
  local w = { shape = { data.inputs }, init = eoss.init.normal{ std = p.std } }
  local net = eoss.nn.module{ inputs = data.inputs, seed = seed, dtype = "f64", params = { w = w },
                              forward = function(x, q) return activations[kind](eoss.dot(q.w, x)) * q.w end }
  -- The largest curvature of a batch at a minimum is 4/b: this rate is half of what would be unstable there.
  return eoss.run{ name = "autoencoder-b" .. b, model = net, data = data, loss = "half_mse",
                   optimizer = eoss.optim.sgd{ lr = b / 4 }, batch_size = b < p.n and b or "full",
                   seed = seed, file = seed == p.seed and kind == "linear" }
end
-- |φ(w·x)| of each sample; the part of |w|² along the one with the largest, 1 at ±x; and what the others have.
local function codes(run) return eoss.norm(run:evaluate().outputs, 2):tovector() / run.params:norm() end
local function others(run) return eoss.sum(codes(run)) - eoss.max(codes(run)) end
local function largest(run) return (eoss.max(codes(run)) / run.params:norm()) ^ 2 end
papers.expect(start("relu", 1, p.seed, samples(p.seed)), { steps = p.steps, times = 2 * p.seeds * #p.batches })
for _, kind in ipairs{ "linear", "relu" } do
  for seed = p.seed, p.seed + p.seeds - 1 do
    local data = samples(seed)
    for _, b in ipairs(p.batches) do
      local run = start(kind, b, seed, data)
      if kind == "linear" and seed == p.seed then
        run:track("largest part", { every = { first = 1, growth = 1.1 }, fn = largest })
        curves[#curves + 1] = run
      end
      local before, active, trace = codes(run), 0, 0
      repeat run:train{ steps = p.steps // 80 } until run.step >= p.steps or others(run) < 1e-10
      local after, H, d = codes(run), run:hessian():dense(), #run.params
      for i = 1, p.n do active = active + ((kind == "linear" or after[i] > 0) and 1 or 0) end
      for i = 1, d do trace = trace + p.n * H:get(i, i) end
      local batch = b == p.n and "full" or "mini"
      claims.gather(found, { "all", batch, kind .. " " .. batch, kind .. " " .. b },
        { sparse = largest(run) > 0.99 and 1 or 0, along = before:dot(after) / before:norm() / after:norm(), trace = trace,
          edge = p.n * run:hessian():top(1, { tolerance = 1e-6 }).values[1] - 4, rest = trace - (d + 4 - active) })
    end
  end
end
local d, mean, error = #curves[1].params, claims.mean(found["relu full"].trace)
local mini, sparse, dense, three = (claims.mean(found["relu mini"].trace)), d + 3, d + 4 - p.n / 2, 3 * math.sqrt(p.n / p.seeds) / 2
claims.report(curves, {
  { "full batch: a dense minimum", "share at one ±x", predicted = 0, measured = found.full.sparse, band = { 0, 0.02 } },
  { "which lies along w₀", "cos of its codes and w₀'s", predicted = 1, measured = found.full.along, band = { 0.9999, 1.0001 } },
  { "any b < n: one ±x", "share at one ±x", predicted = 1, measured = found.mini.sparse, band = { 0.98, 1 } },
  { "λ_max = 4/n at every minimum", "|nλ_max − 4|, most", predicted = 0, measured = claims.distance(found.all.edge, 0), band = { 0, 0.001 } },
  { "tr H = (d + 4 − k)/n, k active", "error of n·tr H, most", predicted = 0, measured = claims.distance(found.all.rest, 0), band = { 0, 0.01 } },
  { "ReLU: full-batch minima have the smaller trace", "tr H over that at one x", predicted = dense / sparse, measured = mean / mini,
    error = error / mini, band = { (dense - three) / sparse, (dense + three) / sparse } },
}, { from = "theory" })
local function over(name, kind) return claims.points(found, kind .. " ", p.batches, name) end
eoss.plot("autoencoder.svg", curves, { { "largest part", log_x = true, title = "the largest part of |w|² along one sample, linear" },
  { over("sparse", "linear"), over("sparse", "relu"), title = "share of runs at one ±x, over b" },
  { over("trace", "linear"), over("trace", "relu"), title = "n·tr H, over b", lines = { { y = sparse, name = "d + 3" } } } }, { from = 1 })
