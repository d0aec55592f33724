// Peak probe of one instruction. The file that includes this names DACHLAST_TARGET, DACHLAST_PROBE and, for the constraint
// of its registers in assembly, DACHLAST_REGISTER ("+x" up to 256 bits, "+v" for 512), and has a struct Step:
//   Step(x, y)       holds the two operands
//   Accumulator      one register of sums; zero() and advance(a), the instruction
//   Lane             type of one sum; store(lanes, a)
namespace dachlast::kernels {
namespace {

/// One instruction on each accumulator: a round of the probe.
DACHLAST_TARGET __attribute__((always_inline)) inline void advance_all(const Step& step,
                                                                       Step::Accumulator (&acc)[kPeakRegisters]) {
#pragma GCC unroll 12
  for (Step::Accumulator& a : acc) a = step.advance(a);
}

}  // namespace

// One source a target includes this. NOLINTNEXTLINE(misc-definitions-in-headers)
DACHLAST_TARGET double DACHLAST_PROBE(std::int64_t n_rounds, float x, float y) {
  const Step step(x, y);
  Step::Accumulator acc[kPeakRegisters];
#pragma GCC unroll 12
  for (Step::Accumulator& a : acc) {
    a = Step::zero();
    asm volatile("" : DACHLAST_REGISTER(a));  // else equal chains would be merged into one
  }
  for (std::int64_t round = 0; round < n_rounds / kPeakUnroll; ++round) {
#pragma GCC unroll 2
    for (int half = 0; half < kPeakUnroll; ++half) advance_all(step, acc);
  }
  if (n_rounds % kPeakUnroll != 0) advance_all(step, acc);
  double total = 0.0;
  for (const Step::Accumulator& a : acc) {
    alignas(64) Step::Lane lanes[sizeof(Step::Accumulator) / sizeof(Step::Lane)];
    Step::store(lanes, a);
    for (const Step::Lane lane : lanes) total += static_cast<double>(lane);
  }
  return total;
}

}  // namespace dachlast::kernels
