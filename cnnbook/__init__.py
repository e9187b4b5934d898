"""How a convolutional network really works: the functions of the book.

`from cnnbook import *` brings the functions that the chapters teach, each
under the name of the course labs; those that have a fast twin come as the
fast one, and the plain loops stay in the module of their chapter. Modules
are reached by their names: `from cnnbook import nn`. Nothing is imported
before it is used.
"""
from ._lazy import attach

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach(__name__, {
    "convolution1d": ["pad_widths"],
    "padding": ["border_index", "dilate", "output_size", "pad_axes",
                "zero_pad"],
    "convolution2d": ["separate"],
    "conv_layer": ["conv_multiply_adds", "conv_parameters",
                   "conv_single_step", "dense_parameters", "receptive_field"],
    "pooling": ["global_average_pool"],
    "backprop": ["check_gradient", "create_mask_from_window",
                 "distribute_value", "global_average_pool_backward",
                 "numeric_gradient"],
    "fast": ["conv1d", "conv2d", "conv_backward", "conv_forward",
             "pool_backward", "pool_forward"],
    "lab": ["accuracy", "backward_propagation", "compute_cost",
            "conv_layer_backward", "conv_layer_forward", "cross_entropy",
            "fully_connected_layer_backward", "fully_connected_layer_forward",
            "initialize_parameters", "one_hot_encode", "pool_layer_backward",
            "pool_layer_forward", "relu", "relu_backward",
            "simple_cnn_model", "softmax", "softmax_backward", "test_model",
            "update_parameters"],
    "data": ["minibatches", "shift_images", "smooth_labels",
             "stratified_split"],
    "zoo": ["pretrained"],
    "evaluation": ["confusion_matrix", "wilson_interval"],
    "images": ["read_cifar10", "read_idx", "read_image", "read_images",
               "read_mnist"],
}, rooms=["architectures", "checks", "classroom", "drawings", "interop",
          "interpret", "nn", "press", "progress_bar", "storage", "sums", "zoo"])
