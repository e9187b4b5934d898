"""Right functions with their authors' habits: prints, copies, classes."""
import numpy as np

from cnnbook.conv_layer import conv_single_step
from cnnbook.padding import output_size, zero_pad

from .registry import right


@right("pool_forward")
def pool_forward_that_prints(A_prev, hparameters, mode="max"):
    print("A_prev:", A_prev.shape, "hparameters:", hparameters)
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = output_size(n_H_prev, f, stride=stride)
    n_W = output_size(n_W_prev, f, stride=stride)
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    window = A_prev[i, h*stride:h*stride + f,
                                    w*stride:w*stride + f, c]
                    print(f"i={i} h={h} w={w} c={c}", window)
                    A[i, h, w, c] = (window.max() if mode == "max"
                                     else window.mean())
    print("listo")
    return A, (A_prev, hparameters)


@right("conv_forward")
def conv_forward_with_a_class_inside(A_prev, W, b, hparameters):
    class Window:
        def __init__(self, image, h, w, f, stride):
            y, x = h * stride, w * stride
            self.cells = image[y:y + f, x:x + f, :]

        def under(self, kernel, bias):
            return conv_single_step(self.cells, kernel, bias)

    stride, pad = hparameters.get("stride", 1), hparameters.get("pad", 0)
    f, n_C = W.shape[0], W.shape[-1]
    return np.array([[[[Window(image, h, w, f, stride).under(
        W[..., c], b[..., c]) for c in range(n_C)]
        for w in range(output_size(A_prev.shape[2], f, pad, stride))]
        for h in range(output_size(A_prev.shape[1], f, pad, stride))]
        for image in zero_pad(A_prev, pad)]), (A_prev, W, b, hparameters)


@right("conv_backward")
def conv_backward_image_by_image(dZ, cache):
    A_prev, W, b, hparameters = (cache[0].copy(), cache[1].copy(),
                                 cache[2].copy(), dict(cache[3]))
    s, p = hparameters.pop("stride"), hparameters.pop("pad")
    f = W.shape[0]

    def one(image, dz):
        image = np.pad(image, ((p, p), (p, p), (0, 0)))
        d_image, d_W = np.zeros(image.shape), np.zeros(W.shape)
        for h in range(dz.shape[0]):
            for w in range(dz.shape[1]):
                place = slice(h*s, h*s + f), slice(w*s, w*s + f)
                d_image[place] += np.dot(W, dz[h, w])
                d_W += image[place][..., None] * dz[h, w]
        rows, columns = np.array(image.shape[:2]) - p
        return d_image[p:rows, p:columns], d_W

    parts = [one(image, dz) for image, dz in zip(A_prev, dZ)]
    dA_prev = np.stack([d_image for d_image, _ in parts])
    b[...] = np.sum(dZ, axis=(0, 1, 2))
    return dA_prev, sum(d_W for _, d_W in parts), b


@right("pool_backward")
def pool_backward_one_plane_at_a_time(dA, cache, mode="max"):
    A_prev, hp = cache
    f, s = hp["f"], hp["stride"]

    def plane(values, gradient):
        back = np.zeros(values.shape)
        for (h, w), g in np.ndenumerate(gradient):
            rows, columns = slice(h*s, h*s + f), slice(w*s, w*s + f)
            if mode == "average":
                back[rows, columns] += g / (f * f)
                continue
            best = None
            for u in range(h*s, h*s + f):
                for v in range(w*s, w*s + f):
                    if best is None or values[u, v] > values[best]:
                        best = u, v
            back[best] += g
        return back

    return np.moveaxis(
        [[plane(A_prev[i, :, :, c], dA[i, :, :, c])
          for c in range(A_prev.shape[3])] for i in range(len(A_prev))],
        1, -1)


@right("relu")
def relu_on_a_copy(Z):
    A = Z.copy()
    A[A < 0] = 0
    return A, Z


@right("zero_pad")
def zero_pad_cell_by_cell(X, pad):
    m, n_H, n_W, n_C = X.shape
    X_pad = np.zeros((m, n_H + 2 * pad, n_W + 2 * pad, n_C))
    for i, h, w, c in np.ndindex(m, n_H, n_W, n_C):
        X_pad[i, h + pad, w + pad, c] = X[i, h, w, c]
    return X_pad


@right("softmax")
def softmax_with_a_comprehension(Z):
    total = lambda z: sum(np.exp(v - max(z)) for v in z)  # noqa: E731
    return np.array([[np.exp(v - max(z)) / total(z) for v in z] for z in Z])


@right("conv2d")
def conv2d_by_rows_and_columns(X, W, p=(0, 0), s=(1, 1)):
    f_H, f_W = W.shape
    p_H, p_W = (p, p) if type(p) is str else p
    before = {"full": lambda f: (f - 1, f - 1), "valid": lambda f: (0, 0),
              "same": lambda f: (f // 2, f - 1 - f // 2)}
    rows = before[p_H](f_H) if type(p_H) is str else (p_H, p_H)
    columns = before[p_W](f_W) if type(p_W) is str else (p_W, p_W)
    x = np.pad(X, (rows, columns)).tolist()
    k = W.tolist()
    return [[sum(k[u][v] * x[i + f_H - 1 - u][j + f_W - 1 - v]
                 for u in range(f_H) for v in range(f_W))
             for j in range(0, len(x[0]) - f_W + 1, s[1])]
            for i in range(0, len(x) - f_H + 1, s[0])]
