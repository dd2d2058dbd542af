--- eoss.schedule.constant
run.lr = eoss.schedule.sequence{ eoss.schedule.constant(0.05), eoss.schedule.constant(0.01), steps = { 10 } }
run:train{ to = 20 }

--- eoss.schedule.step
run.lr = eoss.schedule.step{ from = 0.05, factor = 0.5, every = 10 }
run:train{ to = 20 }
print(run.lr)

--- eoss.schedule.linear
run.lr = eoss.schedule.linear{ from = 0.05, to = 0.01, steps = 20 }
run:train{ to = 10 }
print(run.lr)

--- eoss.schedule.cosine
run.lr = eoss.schedule.cosine{ from = 0.05, steps = 20 }
run:train{ to = 10 }
print(run.lr)

--- eoss.schedule.warmup
run.lr = eoss.schedule.warmup{ from = 0.001, steps = 10, after = eoss.schedule.cosine{ from = 0.05, to = 0.01, steps = 20 } }
run:train{ to = 20 }

--- eoss.schedule.piecewise
run.batch_size = eoss.schedule.piecewise{ [0] = 4, [10] = 8 }
run:train{ to = 20 }
print(run.batch_size)

--- eoss.schedule.cyclic
run.lr = eoss.schedule.cyclic{ low = 0.01, high = 0.05, period = 10 }
run:train{ to = 20 }

--- eoss.schedule.sequence
run.lr = eoss.schedule.sequence{ eoss.schedule.constant(0.05), eoss.schedule.cosine{ from = 0.05, to = 0.01, steps = 10 }, steps = { 10 } }
run:train{ to = 20 }

--- eoss.flow.gradient
run.batch_size = "full"
run.optimizer = eoss.flow.gradient{ dt = 0.01 }
run:train{ steps = 5 }

--- eoss.flow.central
run.batch_size = "full"
run.optimizer = eoss.flow.central{ of = eoss.optim.sgd{ lr = 0.05 } }
run:train{ steps = 3 }

--- eoss.flow.stable
run.batch_size = "full"
run.optimizer = eoss.flow.stable{ of = eoss.optim.sgd{ lr = 0.05 } }
run:train{ steps = 3 }

