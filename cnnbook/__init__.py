__version__ = "0.1.0"

from .conv1d import *
from .padding import *
from .conv2d import *
from .conv_layer import *
from .pooling import *
from .backprop import *
from .model import *
from .images import *
from .storage import *
from .fast import *      # the fast twins of the loops, under their names
from . import fast

use_engine(fast)         # the networks of the chapters train with them

from . import nn          # layers that compose: nn.Conv2D, nn.fit, ...
from . import interpret   # what a network sees: interpret.grad_cam, ...
