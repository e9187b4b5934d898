// The arithmetic of the labs: what cnnbook computes, under its names.
// Matrices are lists of rows. The fields of the labs check what comes in.
(() => {
  const range = n => Array.from({ length: n }, (_, i) => i);
  const matrix = (rows, columns, value) =>
    range(rows).map(i => range(columns).map(j => value(i, j)));

  // The zeros [before, after] that a kernel of length m asks for.
  const pad_widths = (p, m) => ({
    full: [m - 1, m - 1],
    same: [Math.floor(m / 2), Math.floor((m - 1) / 2)],
    valid: [0, 0],
  })[p] ?? [p, p];

  // How many windows fit; 0 or less if none does.
  function output_size(n, f, [before, after], stride = 1, dilation = 1) {
    const span = dilation * (f - 1) + 1;
    return Math.floor((n + before + after - span) / stride) + 1;
  }

  const dilate = (w, dilation) =>
    range(dilation * (w.length - 1) + 1)
      .map(i => (i % dilation ? 0 : w[i / dilation]));

  const dilate2d = (W, dilation) => {
    const rows = W.map(row => dilate(row, dilation));
    const blank = rows[0].map(() => 0);
    return range(dilation * (W.length - 1) + 1)
      .map(i => (i % dilation ? blank : rows[i / dilation]));
  };

  const flip = w => [...w].reverse();
  const flip2d = W => flip(W).map(flip);

  // One step of the slide: every product under the flipped kernel.
  function conv1d_terms(x, w_flipped, start) {
    return w_flipped.map((weight, j) => {
      const value = x[start + j] ?? 0;         // outside, x is zero
      return { position: start + j, value, weight, product: value * weight };
    });
  }

  const sum = values => values.reduce((total, value) => total + value, 0);

  function conv1d(x, w, p = 0, s = 1) {
    const [before, after] = pad_widths(p, w.length);
    const n_out = output_size(x.length, w.length, [before, after], s);
    return range(n_out).map(i => sum(
      conv1d_terms(x, flip(w), i * s - before).map(term => term.product)));
  }

  // The f x f numbers of X, `dilation` apart, from row and column on.
  const window2d = (X, row, column, f, dilation = 1) => matrix(f, f, (u, v) =>
    X[row + u * dilation]?.[column + v * dilation] ?? 0);

  const products = (X, W) =>
    X.map((row, u) => row.map((value, v) => value * W[u][v]));

  function conv2d(X, W, p = 0, s = 1, dilation = 1) {
    const f = W.length, span = dilation * (f - 1) + 1;
    const widths = pad_widths(p, span), W_flipped = flip2d(W);
    return matrix(output_size(X.length, f, widths, s, dilation),
      output_size(X[0].length, f, widths, s, dilation),
      (h, w) => sum(products(window2d(X, h * s - widths[0],
        w * s - widths[0], f, dilation), W_flipped).flat()));
  }

  const pool_sizes = (A_prev, f, stride) => [A_prev.length, A_prev[0].length]
    .map(n => output_size(n, f, [0, 0], stride));

  // The cells of the window of output (h, w), row by row.
  const pool_cells = (f, stride, h, w) =>
    matrix(f, f, (u, v) => [h * stride + u, w * stride + v]).flat();

  // The first cell that holds the maximum, as [row, column].
  const first_maximum = (A_prev, cells) => cells.reduce((best, cell) =>
    A_prev[cell[0]][cell[1]] > A_prev[best[0]][best[1]] ? cell : best);

  function pool_forward(A_prev, f, stride, mode) {
    const [n_H, n_W] = pool_sizes(A_prev, f, stride);
    return matrix(n_H, n_W, (h, w) => {
      const cells = pool_cells(f, stride, h, w);
      const values = cells.map(([row, column]) => A_prev[row][column]);
      return mode === "max" ? Math.max(...values) : sum(values) / f ** 2;
    });
  }

  function pool_backward(dA, A_prev, f, stride, mode) {
    const dA_prev = A_prev.map(row => row.map(() => 0));
    dA.forEach((row, h) => row.forEach((da, w) => {
      const cells = pool_cells(f, stride, h, w);
      const targets = mode === "max" ? [first_maximum(A_prev, cells)] : cells;
      for (const [i, j] of targets) dA_prev[i][j] += da / targets.length;
    }));
    return dA_prev;
  }

  const conv_parameters = (f, n_C_prev, n_C) => (f * f * n_C_prev + 1) * n_C;
  const dense_parameters = (n_in, n_out) => (n_in + 1) * n_out;
  const conv_multiply_adds = (n_H, n_W, f, n_C_prev, n_C) =>
    n_H * n_W * n_C * f * f * n_C_prev;

  // What one output sees after one layer more; begin with {1, 1, 0}.
  const receptive_field = ({ size, jump, start }, { f, stride, pad, dilation }) => ({
    size: size + dilation * (f - 1) * jump,
    jump: jump * stride,
    start: start - pad * jump,
  });

  globalThis.cnnbook = {
    range, matrix, sum, flip, flip2d, pad_widths, output_size, dilate,
    dilate2d, conv1d_terms, conv1d, window2d, products, conv2d, pool_sizes,
    pool_cells, first_maximum, pool_forward, pool_backward, conv_parameters,
    dense_parameters, conv_multiply_adds, receptive_field,
  };
})();
