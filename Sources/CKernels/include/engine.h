/// The C side of the engine: a plan is an array of `ck_call`, walked by `ck_run` over a pool of threads.
///
/// While a plan runs nothing is allocated, no lock is taken and no Swift is executed. Every call is cut into tiles, a grid
/// that is a function of shapes alone; which thread computes a tile is left to chance and changes no bit.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Kernel sets, chosen at start-up for the CPU. Each set is the same source compiled for another instruction set.
enum ck_level {
    CK_LEVEL_PLAIN = 0,   // what every CPU of the architecture has: SSE2 or NEON
    CK_LEVEL_V3 = 1,      // x86-64-v3: AVX2, FMA
    CK_LEVEL_V4 = 2,      // x86-64-v4: AVX-512
};

/// The best level that this CPU and this build have.
int ck_best_level(void);
const char *ck_level_name(int level);

/// Cores that this process may run on.
int ck_available_cores(void);

/// Elements as the kernels see them.
enum ck_element { CK_F32 = 0, CK_F64 = 1, CK_I32 = 2, CK_BOOL = 3 };

/// A place: byte `offset` in the memory that `slot` is bound to for this run.
typedef struct {
    int64_t slot;
    int64_t offset;
} ck_ref;

/// Most bytes of working memory that a kernel may ask of its thread.
#define CK_SCRATCH_BYTES (512 * 1024)

struct ck_call;
typedef void (*ck_kernel)(const struct ck_call *call, char *const *bases, int64_t tile, char *scratch);

/// One kernel over its grid. `refs` and `parameters` belong to the plan.
typedef struct ck_call {
    ck_kernel kernel;
    int64_t tiles;          // 0: nothing to do; 1: runs on the calling thread
    const ck_ref *refs;     // operands, then results
    const void *parameters; // the kernel's own structure
} ck_call;

// ---- products -------------------------------------------------------------------------------------------------------

/// C[M,N] = A[M,K] B[K,N], or addend + scale * A B, for each of `batches`.
/// refs: A, B, C, and with `accumulate` the addend and the scale (one element). Strides count elements.
typedef struct {
    int64_t element, result;      // ck_element of the operands and of the result
    int64_t accumulate;
    int64_t m, n, k;
    int64_t a_row, a_column, b_row, b_column;   // strides of A over (M, K), of B over (K, N)
    int64_t c_row;                // stride of C over M, and of the addend; f64 sums of f32 have contiguous batches of contiguous rows
    int64_t batches;
    int64_t batch_rank;           // batch axes, outermost first
    const int64_t *batch_extents, *batch_a, *batch_b, *batch_c;
    int64_t tile_m, tile_n, tile_batches;
    int64_t k_chunk;              // if > 0, the batches are chunks of K of this length, the last one shorter
} ck_product;

/// Kernels for `ck_product`. BLAS: any strides with a unit one, same element types. INNER: a_column = b_row = 1;
/// the result may be f64 for f32 operands. OUTER: b_column = 1. PACKED: any strides; K is at most CK_PACKED_TERMS
/// and not cut.
#define CK_PACKED_TERMS 256
enum ck_product_kernel { CK_PRODUCT_BLAS, CK_PRODUCT_INNER, CK_PRODUCT_OUTER, CK_PRODUCT_PACKED };
ck_kernel ck_product_kernel_for(int kind, int element, int result, int level);

/// result[chunks, kept axes, column] = sum over the chunk's rows of A B, added in f64. Columns are contiguous in both operands; a
/// row is an entry of the reduced axes. refs: A, B, result.
typedef struct {
    int64_t result;                       // ck_element of the result
    int64_t count, columns, rows;         // entries of the kept axes; columns; rows of all chunks
    int64_t kept_rank, reduced_rank;      // reduced_rank > 0
    const int64_t *kept_extents, *kept_a, *kept_b, *reduced_extents, *reduced_a, *reduced_b;
    int64_t chunks, chunk;                // of rows
    int64_t tile;                         // entries of the kept axes and chunks of a tile
} ck_column_dots;
ck_kernel ck_column_dots_kernel(int element, int level);

// ---- elementwise regions --------------------------------------------------------------------------------------------

enum ck_reduction { CK_SUM, CK_MAX };

/// Computes n elements. Buffers are padded to multiples of 64 elements; a result's or operand's own memory is touched only where
/// it has elements.
typedef void (*ck_block_operation)(void *result, const void *a, const void *b, const void *c, int64_t n);

enum ck_opcode {
    // unary
    CK_NEGATE, CK_EXP, CK_EXPM1, CK_LOG, CK_LOG1P, CK_SQRT, CK_TANH, CK_LOGISTIC, CK_ERF, CK_ABS, CK_SIGN, CK_COPY,
    // binary
    CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_MULTIPLY_NONZERO, CK_DIVIDE, CK_MAXIMUM, CK_MINIMUM,
    CK_EQ, CK_NE, CK_LT, CK_LE, CK_GT, CK_GE,
    CK_POWER,   // b: the exponent, the same for all elements
    // ternary: a is bool
    CK_SELECT,
    // conversions, by target
    CK_TO_F32, CK_TO_F64, CK_TO_I32, CK_TO_BOOL,
    // pairs, with the rounding of both: ab + c, ab - c, c - ab
    CK_MULTIPLY_ADD, CK_MULTIPLY_SUBTRACT, CK_SUBTRACT_PRODUCT,
    // the same, and ab and a + b, where a is one number: only its first element is read
    CK_SCALE_ADD, CK_SCALE_SUBTRACT, CK_SUBTRACT_SCALED, CK_SCALE, CK_OFFSET,
    // more, with the rounding of each: c + a(b - c) and c + a(bb - c), where a is one number; a / (sqrt(b) + c), where c is
    CK_APPROACH, CK_APPROACH_SQUARE, CK_DIVIDE_BY_ROOT,
    CK_OPCODES
};

/// The block operation for operands of this element (for select: of its branches), or NULL where there is none.
ck_block_operation ck_block_operation_for(int opcode, int element, int level);

/// A whole program in one loop over n elements: the value of slot i lies at `at[places[i]]`. With `ahead` it asks for memory that many bytes
/// further on.
typedef void (*ck_chain)(char *const *at, const int32_t *places, int64_t n, int64_t ahead);

/// The loop for a program, or NULL where there is none. An operation is five numbers: opcode, result, and three operands (its last again where it has
/// fewer), by slots, which are numbered as they are first met, operands before the result. `written` has a bit for each slot that is a result.
ck_chain ck_chain_for(const int32_t *program, int64_t operations, uint64_t written, int element, int level);

/// How a region reads an operand: element by element with the region's own; one element for all; what belongs to a block in one
/// piece; through strides, into a buffer; where the region computes it, some rows of a product at a time.
enum ck_access { CK_CONTIGUOUS, CK_SCALAR, CK_IN_PLACE, CK_STRIDED, CK_COMPUTED, CK_CARRIED };

/// Most axes of a region, a copy row by row, a padding; after merging.
#define CK_REGION_RANK 16

typedef struct {
    int64_t access;
    int64_t size;                          // bytes of an element
    const int64_t *outer;                  // elements per step of each axis before the walked one
    int64_t walk;                          // elements per step of the walked axis
    // CK_STRIDED: the axes from the walked one on as this operand has them, merged; the first extent is that of one step.
    int64_t rank;
    const int64_t *extents, *block_strides;
    int64_t step;                          // elements from one step of a recurrence to the next
    int64_t carry;                         // CK_CARRIED: the result that it is at the step before
} ck_region_operand;

/// Most operands, results and registers of a region together.
#define CK_REGION_PLACES 256

/// Places are numbered: operands, then results, then registers. A place that an operation does not read is 0.
typedef struct {
    ck_block_operation operation;
    int32_t result, a, b, c;
} ck_instruction;

/// A sum or maximum of a place over the region's middle axis, accumulated in f64.
typedef struct {
    int64_t kind, element, result;         // ck_reduction; ck_element of the place (f32, f64) and of what is written
    int64_t place;
} ck_region_reduction;

/// A walk over elements in blocks; refs: operands, then results, then results of reductions; of a product A and B.
///
/// A result lies together, or in rows of so many elements, `result_stride` apart: a part of each row of a concatenation.
///
/// A recurrence computes each block `steps` times before the next, each time with its operands a step further (or back), to results
/// that lie `count` elements further; it has no reductions and no product.
///
/// A block is up to `block_units` steps of one axis, the walked one, with all of the axes after it (`unit` elements a step). A line
/// is what has the axes before it in common, `line_units` steps. Tiles are cut from stretches of blocks.
/// With reductions the elements are [groups, reduced, inner]. One tile to a stretch: it has whole groups and results
/// [groups, inner]. More: a stretch is a group, and the results are partial, [groups, tiles of a stretch, inner].
typedef struct {
    int64_t block_units, unit, line_units, line_blocks, blocks;
    int64_t count, steps, reversed;
    int64_t tile_blocks, stretch_blocks, stretch_tiles;
    int64_t outer_rank;
    const int64_t *outer_extents;
    int64_t operands, results, registers, instructions, reductions;
    const ck_region_operand *operand;
    const int64_t *result_size;            // bytes of an element
    const int64_t *result_row;             // elements; 0 for what lies together
    const int64_t *result_stride;          // elements from row to row
    const int64_t *register_size;
    const ck_instruction *instruction;
    ck_chain chain;                        // does what the instructions do, or NULL
    const int32_t *chain_places;
    const ck_region_reduction *reduction;
    int64_t reduced, inner;
    // The operand that is CK_COMPUTED: one matrix without an addend, whose rows are made so many at a time.
    const ck_product *product;
    ck_kernel product_kernel;
    int64_t product_rows;
} ck_region;
ck_kernel ck_region_kernel(int level);

// ---- reductions -----------------------------------------------------------------------------------------------------

/// result[kept axes] = reduction over the reduced axes. The operand is read through strides, the result is contiguous.
/// Sums of f32 are accumulated in f64. With `chunks` > 1 the outermost reduced axis is cut into chunks of `chunk` entries and
/// the result has a leading axis of chunks: partial results, for a second reduction to finish. refs: operand, result.
typedef struct {
    int64_t kind, element, result;       // ck_reduction; ck_element of operand and result (f32 to f64 for partial sums, f64 to f32 back)
    int64_t count;                       // of results
    int64_t kept_rank, reduced_rank;
    const int64_t *kept_extents, *kept_strides, *reduced_extents, *reduced_strides;
    int64_t chunks, chunk;
    int64_t tile;                        // results of a tile, all chunks counted
} ck_reduce;
ck_kernel ck_reduce_kernel(int element, int level);

// ---- copies ---------------------------------------------------------------------------------------------------------

/// result = operand, both of these extents: transposes, broadcasts, slices, reversals, parts of a concatenation.
typedef struct {
    int64_t size;                        // bytes of an element: 1, 4, 8
    int64_t count, rank;
    const int64_t *extents, *strides;    // of the operand, in elements; the refs point at entry 0 of both
    const int64_t *result_strides;       // NULL: contiguous, as it has to be for squares
    int64_t axis;                        // squares: the result's axis along which the operand is contiguous
    int64_t tile;                        // of a tile: elements; squares: strips of CK_SQUARE entries of the axis
} ck_copy;
#define CK_SQUARE 32
/// With `squares`, for a transposed operand; else row by row.
ck_kernel ck_copy_kernel(int squares, int level);

// ---- rows by number, padding ----------------------------------------------------------------------------------------

/// Rows of tables by number. An index outside is taken as the nearest inside.
/// GATHER: refs: tables [batches, rows, length], indices i32 [batches, indices], result [batches, indices, length].
/// SCATTER_ADD: refs: indices, updates [batches, indices, length], result [batches, rows, length]: sums in the indices' order.
typedef struct {
    int64_t element;
    int64_t batches, rows, length, indices;
    // GATHER: a tile is `tile` indices, over all batches. SCATTER_ADD: `tile` rows by `columns` of one batch.
    int64_t tile, columns;
} ck_rows;
enum ck_rows_kernel { CK_GATHER, CK_SCATTER_ADD };
ck_kernel ck_rows_kernel_for(int kind, int element, int level);

/// Entry i of the operand goes to place low + i * step of the result along each axis, if there is such a place; all else gets
/// the value. refs: operand, value (one element), result, both contiguous.
typedef struct {
    int64_t size;                        // bytes of an element
    int64_t rank;                        // at least 1
    const int64_t *extents, *operand_extents, *low, *step;
    int64_t rows, tile;                  // of the result: all, of a tile; a row is the innermost axis
} ck_pad;
ck_kernel ck_pad_kernel(int level);

// ---- convolutions ---------------------------------------------------------------------------------------------------

/// One spatial axis. Result place p meets window place t at place (p * stride + t * rhs_dilation - low) / lhs_dilation of the
/// left operand, where that is a whole number from 0 to `in` - 1; elsewhere there is nothing to add.
typedef struct {
    int64_t out, in, window;
    int64_t stride, low, lhs_dilation, rhs_dilation;
    int64_t x, w, y;          // strides of left operand, right operand and result
} ck_convolution_axis;

/// result[group, free, spatial, o] = sum over c and window of left[group, free, spatial', c] * right[group, window, c, o].
///
/// Three spatial axes; those that a convolution lacks have extents 1. All extents and strides count elements.
/// Columns (o) are taken in blocks of CK_CONVOLUTION_VECTORS vectors; tiles have whole numbers of CK_CONVOLUTION_COLUMNS.
typedef struct {
    ck_convolution_axis axis[3];
    int64_t groups, group_rank;
    const int64_t *group_extents, *group_x, *group_w, *group_y;
    int64_t frees, free_rank;             // POSITIONS: the innermost axis may be the rows; GRADIENT: one axis, the rows
    const int64_t *free_extents, *free_x, *free_y;
    int64_t channels, channel_rank;       // POSITIONS: one axis; GRADIENT: any
    const int64_t *channel_extents, *channel_x, *channel_w;
    int64_t columns;
    int64_t tile_columns;
    int64_t tile_free;                    // of a tile: entries of the innermost free axis where that is the rows

    // POSITIONS
    int64_t along_free;                   // rows of the register tile: 1: the innermost free axis, 0: axis 2
    int64_t channel_block;                // channels added before the next ones are begun
    int64_t copied;                       // lines of the left operand are brought to scratch memory, filled up with zeros
    int64_t copied_from, copied_span;     // … from this place of axis 2, so many
    int64_t tile_lines, tile_entries;     // of a tile: lines of axis 1; entries of the group axes and the other free axes
    int64_t packed_group;                 // elements from one group of the packed right operand to the next

    // GRADIENT
    int64_t w_offset;                     // of the first window place in the right operand: its strides may be negative
    int64_t along_channels;               // the run of a sum: 1: the innermost channel axis, 0: the window's axis 2
    int64_t parts, part, block;           // lines (or terms of a run) of a part, of a block
    int64_t tile_groups;
} ck_convolution;

/// POSITIONS: few window places, many result places; refs: left, packed right, result, whose columns are contiguous.
/// GRADIENT: many window places, few result places; refs: left, right, whose columns are contiguous, and the sums of the
/// parts: [parts, groups, axis 0, axis 1, axis 2, free, columns] without gaps.
enum ck_convolution_kernel { CK_CONVOLUTION_POSITIONS, CK_CONVOLUTION_GRADIENT };
ck_kernel ck_convolution_kernel_for(int kind, int element, int level);
#define CK_CONVOLUTION_VECTORS 2
#define CK_CONVOLUTION_COLUMNS 32

/// The right operand [group, window, c, o], read through strides, as the data kernel reads it:
/// [group][block of columns][block of channels][window][channel][column], blocks of columns filled up to whole vectors.
/// Tiles: one for each CK_CONVOLUTION_COLUMNS columns of each group. refs: right operand, result.
typedef struct {
    int64_t window[3], window_stride[3], reversed[3];
    int64_t groups, group_rank;
    const int64_t *group_extents, *group_stride;
    int64_t channels, channel_rank;
    const int64_t *channel_extents, *channel_stride;
    int64_t columns, column_rank;
    const int64_t *column_extents, *column_stride;
    int64_t channel_block, packed_group;
} ck_convolution_pack;
ck_kernel ck_convolution_pack_kernel(int element, int level);

/// result, through strides = sum of the parts of a GRADIENT, added in order. refs: parts, result.
typedef struct {
    int64_t parts, part;                   // elements from part to part
    int64_t rows, columns, rank;           // rows: all axes but the columns
    const int64_t *extents, *strides;      // of the rows, in the result
    int64_t column_stride;                 // in the result
    int64_t tile;                          // rows of a tile
} ck_convolution_sum;
ck_kernel ck_convolution_sum_kernel(int element, int level);

// ---- running --------------------------------------------------------------------------------------------------------

/// A tile of some calls one after the other. They have equally many tiles, and none needs another tile of an earlier one.
typedef struct {
    const ck_call *calls;
    int64_t count;
} ck_lanes;
ck_kernel ck_lanes_kernel(void);

typedef struct ck_pool ck_pool;

/// A pool of `threads` (1…CK_MAX_THREADS, the calling thread counts); workers start at the first call that needs them.
#define CK_MAX_THREADS 64
ck_pool *ck_pool_create(int threads);
void ck_pool_destroy(ck_pool *pool);
/// Changes the number of threads; waits for a running plan.
void ck_pool_set_threads(ck_pool *pool, int threads);
int ck_pool_threads(const ck_pool *pool);

/// Held for the length of a run, and around changes of what the pool's plans share (their arena).
void ck_pool_lock(ck_pool *pool);
/// Takes the lock if it is free; whether it did.
int ck_pool_try_lock(ck_pool *pool);
void ck_pool_unlock(ck_pool *pool);

/// Walks the calls in order. The caller holds the lock. With `nanoseconds`, adds each call's time to its entry.
void ck_run(ck_pool *pool, const ck_call *calls, int64_t count, char *const *bases, int64_t *nanoseconds);

/// The same, until `stop`, an atomic bool that any thread may set, is seen true before a tile: then the rest is left out.
/// Returns whether anything was; what the calls write is undefined then.
int ck_run_unless(ck_pool *pool, const ck_call *calls, int64_t count, char *const *bases, const void *stop);

/// Walks the calls for each of `number` bindings, each of them on one thread: threads never wait for each other but at the end.
/// `bases` holds `slots` addresses for each binding; slot 0 is set to the thread's arena, one of as many as the pool has threads,
/// each of `arena_bytes`. The caller holds the lock.
void ck_run_each(ck_pool *pool, const ck_call *calls, int64_t count, char **bases, int64_t slots, int64_t number, char *arenas,
                 int64_t arena_bytes);

// ---- OpenBLAS -------------------------------------------------------------------------------------------------------

/// Loads libopenblas at the first call; later calls are free.
/// Returns NULL, or what is wrong in words for the user.
const char *ck_blas_load(void);
/// The library's own description of itself (version, core), once loaded; else "".
const char *ck_blas_configuration(void);
