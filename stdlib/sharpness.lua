-- A sharpness for networks with batch norm: how much the loss changes along the sharpest direction, over a diameter that is a share of the
-- weights' own norms. Weights before a batch norm may be rescaled, unit by unit, which changes the curvature but not the network: this does
-- not change either.
--
--   local sharpness = require "sharpness"
--   print(sharpness.measure(run, { delta = 1 }).value)
--   run.optimizer = sharpness.descent{ model = run.model, lr = 0.1, weight = 1 }     -- descends the loss and `weight` times this sharpness
--
-- D has for each parameter the norm of the weights that it belongs to: of its row in a matrix, its channel in a kernel, all of it in a bias or
-- the weights of a norm.
-- S = max (1/2δ) ∫ |L(θ + sDu) − L(θ)| ds over −δ ≤ s ≤ δ, over unit vectors u; at a minimum, for small δ, λ_max(DHD)·δ²/6.
local sharpness = {}

-- A vector with a number for each unit: `number(name, unit)` of each row of a matrix and channel of a kernel, `number(name)` of a bias.
local function perUnit(model, number)
  local parts = {}
  for name, shape in pairs(model.shapes) do
    parts[name] = #shape == 1 and number(name) or {}
    for unit = 1, #shape > 1 and shape[1] or 0 do
      local value = number(name, unit)
      for axis = #shape, 2, -1 do
        local row = {}
        for i = 1, shape[axis] do row[i] = value end
        value = row
      end
      parts[name][unit] = value
    end
  end
  return model:vector(parts)
end

--- D, as a vector, at parameters of a model.
function sharpness.scale(model, params)
  return perUnit(model, function(name, unit)
    local part = params:part(name)
    return eoss.norm(unit and part[unit] or part)
  end)
end

--- The run's parameters with some matrices or kernels, { "1.weight" } say, rescaled: those of each unit by a factor of its own, 10^(z/2) with a
--- standard normal z. Where a batch norm comes after them it is the same network.
function sharpness.rescaled(run, names, seed)
  local random, factors, drawn = run.params:randn(seed), {}, 0
  for _, name in ipairs(names) do
    factors[name] = {}
    for unit = 1, run.model.shapes[name][1] do
      drawn = drawn + 1
      factors[name][unit] = 10 ^ (random[drawn] / 2)
    end
  end
  return run.params * perUnit(run.model, function(name, unit) return factors[name] and factors[name][unit] or 1 end)
end

local function unit(v)
  local norm = v:norm()
  return norm > 0 and v / norm or v
end

-- The sharpest direction to first order; where there is no gradient any.
local function first(scale, g) return unit(scale * (g:norm() > 0 and g or g:randn(1))) end

-- The integral by Gauss's rule of two points, s = ±δ/√3; its gradient by the point, with Du held; and the u that is better where S is
-- convex in u, which of a quadratic is the power method. `gradient` gives gradient and loss of a point.
local function probe(gradient, point, g, loss, scale, u, delta)
  local d, value, slope, along = delta / math.sqrt(3) * scale * u, 0, 0 * g, 0 * g
  for side = -1, 1, 2 do
    local there, height = gradient(point + side * d)
    local up = height < loss and -1 or 1
    value, slope, along = value + math.abs(height - loss) / 2, slope + up / 2 * (there - g), along + up * side * there
  end
  return value, slope, unit(scale * along)
end

--- S as `value`, over all training samples, with its `direction` u, the `scale` D and the `slice` along Du. `delta` is 1 by default; u is
--- searched from D∇L until S changes by less than `tolerance`, 0.01, in at most `steps`, 50: what is found is a lower bound. The integral is
--- Simpson's rule over `points`, 21. At other parameters than the run's with `at`.
function sharpness.measure(run, options)
  local o = options or {}
  local point, delta, points = o.at or run.params, o.delta or 1, o.points or 21
  local function gradient(at) return run:gradient{ at = at }, run:evaluate{ at = at }.loss end
  local g, loss = gradient(point)
  local scale = sharpness.scale(run.model, point)
  local u, last = first(scale, g), nil
  local best = { found = -1, direction = u, scale = scale }
  for _ = 1, o.steps or 50 do
    local value, _, better = probe(gradient, point, g, loss, scale, u, delta)
    if value > best.found then best = { found = value, direction = u, scale = scale } end
    if last and math.abs(value - last) <= (o.tolerance or 0.01) * value then break end
    last, u = value, better
  end
  best.slice = run:slice{ along = scale * best.direction, from = -delta, to = delta, points = points, at = point }
  local sum = 0
  for i, height in ipairs(best.slice.losses:totable()) do
    sum = sum + ((i == 1 or i == points) and 1 or i % 2 == 0 and 4 or 2) * math.abs(height - loss)
  end
  best.value = sum / (3 * (points - 1))
  return best
end

--- A rule that descends L_B + weight·S_B over the step's batch B, with Du held where the gradient is taken: u gets better by one search step
--- a step, D is taken anew every `renew` steps, 20. Three gradients a step. `lr`, `weight`, `delta` = 1, and the `model`.
function sharpness.descent(options)
  local o = options
  return eoss.optim.custom{ name = "bn_sharpness", lr = o.lr,
    step = function(state, context)
      local g, loss = context:gradient()
      if not state.scale or context.step % (o.renew or 20) == 0 then state.scale = sharpness.scale(o.model, context.params) end
      local function gradient(at) return context:gradient{ at = at } end
      local u, _, slope = state.u or first(state.scale, g)
      _, slope, state.u = probe(gradient, context.params, g, loss, state.scale, u, o.delta or 1)
      return context.params - context.lr * (g + o.weight * slope)
    end }
end

return sharpness
