"""Wrong convolutions of signals and of matrices, as in the lab's part 1."""
import numpy as np

from . import words
from .registry import wrong

MODES = ([r"same|full|valid|modo|texto|cadena"],
         [r"same|full|valid|mode|text|string"])
SAME_EVEN = ([r"\bpar(es)?\b|asimétric|p (es|vale) .?same|modo .?same"],
             [r"\beven\b|asymmetr|p is .?same|mode .?same"])


@wrong("conv1d", *words.NOT_FLIPPED)
def conv1d_not_flipped(x, w, p=0, s=1):
    n, m = len(x), len(w)
    pads = {"full": (m - 1, m - 1), "same": (m // 2, (m - 1) // 2),
            "valid": (0, 0)}
    izq, der = pads[p] if isinstance(p, str) else (p, p)
    x_padded = np.concatenate([np.zeros(izq), x, np.zeros(der)])
    res = []
    for i in range(0, len(x_padded) - m + 1, s):
        res.append(np.sum(x_padded[i:i + m] * w))
    return np.array(res)


@wrong("conv1d", *words.STRIDE_TWICE)
def conv1d_stride_divided_twice(x, w, p=0, s=1):
    w_rot = np.array(w[::-1])
    m = len(w)
    if p == "full":
        antes = despues = m - 1
    elif p == "same":
        antes, despues = m // 2, (m - 1) // 2
    elif p == "valid":
        antes = despues = 0
    else:
        antes = despues = p
    x_padded = np.zeros(len(x) + antes + despues)
    x_padded[antes:antes + len(x)] = x
    res = []
    for i in range(0, int((len(x_padded) - m) / s) + 1, s):
        res.append(np.sum(x_padded[i:i + m] * w_rot))
    return np.array(res)


@wrong("conv1d", [r"tamaño|longitud|salida|cuánt|stride|paso"],
       [r"size|length|output|how many|strid"])
def conv1d_published_range(x, w, p=0, s=1):
    w_rot = np.array(w[::-1])
    x_padded = np.array(x)
    m = len(w)
    if isinstance(p, str):
        p = {"full": m - 1, "same": m // 2, "valid": 0}[p]
    if p > 0:
        zero_pad = np.zeros(shape=p)
        x_padded = np.concatenate([zero_pad, x_padded, zero_pad])
    res = []
    for i in range(0, int(len(x) / s), s):
        trozo = x_padded[i:i + w_rot.shape[0]]
        res.append(np.sum(trozo * w_rot[:len(trozo)]))
    return np.array(res)


@wrong("conv1d", *words.STRIDE_IGNORED)
def conv1d_without_stride(x, w, p=0, s=1):
    mode = p if isinstance(p, str) else "valid"
    if not isinstance(p, str):
        x = np.pad(x, p)
    return np.convolve(x, w, mode) if len(x) >= len(w) else np.array([])


@wrong("conv1d", *words.ONE_SIDE)
def conv1d_zeros_on_one_side(x, w, p=0, s=1):
    m = len(w)
    if isinstance(p, str):
        left, right = {"full": (m - 1, m - 1), "valid": (0, 0),
                       "same": (m // 2, (m - 1) // 2)}[p]
    else:
        left, right = p, 0
    xp = np.pad(x, (left, right))
    k = w[::-1]
    n_out = (len(xp) - m) // s + 1
    return np.array([np.dot(xp[i*s:i*s + m], k) for i in range(n_out)])


@wrong("conv1d", *SAME_EVEN)
def conv1d_same_with_even_kernels(x, w, p=0, s=1):
    m = len(w)
    if p == "full":
        p = m - 1
    elif p == "same":
        p = (m - 1) // 2
    elif p == "valid":
        p = 0
    xp = np.pad(x, p)
    k = w[::-1]
    y = np.zeros((len(xp) - m) // s + 1)
    for i in range(len(y)):
        for j in range(m):
            y[i] += xp[i*s + j] * k[j]
    return y


@wrong("conv1d", *MODES)
def conv1d_knows_no_modes(x, w, p=0, s=1):
    n, m = len(x), len(w)
    n_out = (n + 2 * p - m) // s + 1
    x_pad = np.zeros(n + 2 * p)
    x_pad[p:p + n] = x
    y = np.zeros(n_out)
    for i in range(n_out):
        y[i] = np.sum(x_pad[i * s:i * s + m] * w[::-1])
    return y


@wrong("conv1d", *words.RETURN_IN_LOOP)
def conv1d_return_in_the_loop(x, w, p=0, s=1):
    m = len(w)
    a, d = {"full": (m - 1, m - 1), "valid": (0, 0),
            "same": (m // 2, (m - 1) // 2)}.get(p, (p, p))
    x_pad = np.concatenate((np.zeros(a), x, np.zeros(d)))
    n_out = (len(x_pad) - m) // s + 1
    y = np.zeros(n_out)
    for i in range(n_out):
        y[i] = np.sum(x_pad[i * s:i * s + m] * w[::-1])
        return y


@wrong("conv1d", *words.INTEGERS)
def conv1d_integers(x, w, p=0, s=1):
    m = len(w)
    a, d = {"full": (m - 1, m - 1), "valid": (0, 0),
            "same": (m // 2, (m - 1) // 2)}.get(p, (p, p))
    x_pad = np.concatenate((np.zeros(a), x, np.zeros(d)))
    y = np.zeros((len(x_pad) - m) // s + 1, dtype=int)
    for i in range(len(y)):
        y[i] = np.sum(x_pad[i * s:i * s + m] * w[::-1])
    return y


@wrong("conv1d", *words.NO_PLUS_ONE)
def conv1d_misses_the_last_value(x, w, p=0, s=1):
    m = len(w)
    a, d = {"full": (m - 1, m - 1), "valid": (0, 0),
            "same": (m // 2, (m - 1) // 2)}.get(p, (p, p))
    x_pad = np.concatenate((np.zeros(a), x, np.zeros(d)))
    w_flip = w[::-1]
    y = []
    for i in range(0, len(x_pad) - m, s):
        y.append(np.dot(x_pad[i:i + m], w_flip))
    return np.array(y)


@wrong("conv2d", *words.NOT_FLIPPED)
def conv2d_not_flipped(X, W, p=(0, 0), s=(1, 1)):
    f1, f2 = W.shape
    pads = []
    for f, q in zip(W.shape, (p, p) if isinstance(p, str) else p):
        pads.append({"full": (f - 1, f - 1), "valid": (0, 0),
                     "same": (f // 2, (f - 1) // 2)}.get(q, (q, q)))
    X_padded = np.pad(X, pads)
    res = []
    for i in range(0, X_padded.shape[0] - f1 + 1, s[0]):
        res.append([])
        for j in range(0, X_padded.shape[1] - f2 + 1, s[1]):
            X_sub = X_padded[i:i + f1, j:j + f2]
            res[-1].append(np.sum(X_sub * W))
    return np.array(res)


@wrong("conv2d", [r"(un|uno) solo|sol[oa] (eje|direcci)|(sólo"
                  r"|solo) .*(filas|columnas|eje)"],
       [r"(one|single) axis|only (the )?(rows|columns)|axis only"
        r"|one direction"])
def conv2d_flipped_on_one_axis(X, W, p=(0, 0), s=(1, 1)):
    f1, f2 = W.shape
    W_rot = np.array(W)[::-1]
    pads = []
    for f, q in zip(W.shape, (p, p) if isinstance(p, str) else p):
        pads.append({"full": (f - 1, f - 1), "valid": (0, 0),
                     "same": (f // 2, (f - 1) // 2)}.get(q, (q, q)))
    X_padded = np.pad(X, pads)
    res = []
    for i in range(0, X_padded.shape[0] - f1 + 1, s[0]):
        res.append([])
        for j in range(0, X_padded.shape[1] - f2 + 1, s[1]):
            res[-1].append(np.sum(X_padded[i:i + f1, j:j + f2] * W_rot))
    return np.array(res)


@wrong("conv2d", *words.STRIDE_TWICE)
def conv2d_published_range(X, W, p=(0, 0), s=(1, 1)):
    W_rot = np.array(W)[::-1, ::-1]
    f1, f2 = W.shape
    pads = []
    for f, q in zip(W.shape, (p, p) if isinstance(p, str) else p):
        pads.append({"full": (f - 1, f - 1), "valid": (0, 0),
                     "same": (f // 2, (f - 1) // 2)}.get(q, (q, q)))
    X_padded = np.pad(X, pads)
    res = []
    for i in range(0, int((X_padded.shape[0] - f1) / s[0]) + 1, s[0]):
        res.append([])
        for j in range(0, int((X_padded.shape[1] - f2) / s[1]) + 1, s[1]):
            X_sub = X_padded[i:i + f1, j:j + f2]
            res[-1].append(np.sum(X_sub * W_rot))
    return np.array(res)


@wrong("conv2d", *words.STRIDE_IGNORED)
def conv2d_without_stride(X, W, p=(0, 0), s=(1, 1)):
    W_rot = np.rot90(W, 2)
    f1, f2 = W.shape
    pads = []
    for f, q in zip(W.shape, (p, p) if isinstance(p, str) else p):
        pads.append({"full": (f - 1, f - 1), "valid": (0, 0),
                     "same": (f // 2, (f - 1) // 2)}.get(q, (q, q)))
    X_pad = np.pad(X, pads)
    n1, n2 = X_pad.shape[0] - f1 + 1, X_pad.shape[1] - f2 + 1
    Y = np.zeros((n1, n2))
    for i in range(n1):
        for j in range(n2):
            Y[i, j] = np.sum(X_pad[i:i + f1, j:j + f2] * W_rot)
    return Y


@wrong("conv2d", *words.ROWS_COLUMNS)
def conv2d_strides_exchanged(X, W, p=(0, 0), s=(1, 1)):
    W_rot = np.rot90(W, 2)
    f1, f2 = W.shape
    s2, s1 = s
    pads = []
    for f, q in zip(W.shape, (p, p) if isinstance(p, str) else p):
        pads.append({"full": (f - 1, f - 1), "valid": (0, 0),
                     "same": (f // 2, (f - 1) // 2)}.get(q, (q, q)))
    X_pad = np.pad(X, pads)
    n1, n2 = (X_pad.shape[0] - f1)//s1 + 1, (X_pad.shape[1] - f2)//s2 + 1
    Y = np.zeros((n1, n2))
    for i in range(n1):
        for j in range(n2):
            Y[i, j] = np.sum(X_pad[i*s1:i*s1 + f1, j*s2:j*s2 + f2] * W_rot)
    return Y


@wrong("conv2d", *words.NOT_ADDED)
def conv2d_last_product_only(X, W, p=(0, 0), s=(1, 1)):
    K = W[::-1, ::-1]
    f1, f2 = W.shape
    pads = []
    for f, q in zip(W.shape, (p, p) if isinstance(p, str) else p):
        pads.append({"full": (f - 1, f - 1), "valid": (0, 0),
                     "same": (f // 2, (f - 1) // 2)}.get(q, (q, q)))
    X_pad = np.pad(X, pads)
    n1 = (X_pad.shape[0] - f1)//s[0] + 1
    n2 = (X_pad.shape[1] - f2)//s[1] + 1
    Y = np.zeros((n1, n2))
    for i in range(n1):
        for j in range(n2):
            for u in range(f1):
                for v in range(f2):
                    Y[i, j] = X_pad[i*s[0] + u, j*s[1] + v] * K[u, v]
    return Y


@wrong("conv2d", *words.SQUARE)
def conv2d_square_kernels_only(X, W, p=(0, 0), s=(1, 1)):
    K = W[::-1, ::-1]
    f = W.shape[0]
    pads = []
    for g, q in zip(W.shape, (p, p) if isinstance(p, str) else p):
        pads.append({"full": (g - 1, g - 1), "valid": (0, 0),
                     "same": (g // 2, (g - 1) // 2)}.get(q, (q, q)))
    X_pad = np.pad(X, pads)
    n1 = (X_pad.shape[0] - f)//s[0] + 1
    n2 = (X_pad.shape[1] - f)//s[1] + 1
    Y = np.zeros((n1, n2))
    for i in range(n1):
        for j in range(n2):
            Y[i, j] = np.sum(X_pad[i*s[0]:i*s[0]+f, j*s[1]:j*s[1]+f] * K)
    return Y


@wrong("conv2d", *SAME_EVEN)
def conv2d_same_with_even_kernels(X, W, p=(0, 0), s=(1, 1)):
    K = W[::-1, ::-1]
    f1, f2 = W.shape
    if p == "full":
        p = (f1 - 1, f2 - 1)
    elif p == "same":
        p = ((f1 - 1) // 2, (f2 - 1) // 2)
    elif p == "valid":
        p = (0, 0)
    X_pad = np.pad(X, ((p[0], p[0]), (p[1], p[1])))
    n1 = (X_pad.shape[0] - f1)//s[0] + 1
    n2 = (X_pad.shape[1] - f2)//s[1] + 1
    Y = np.zeros((n1, n2))
    for i in range(n1):
        for j in range(n2):
            y, x = i * s[0], j * s[1]
            Y[i, j] = (X_pad[y:y+f1, x:x+f2] * K).sum()
    return Y
