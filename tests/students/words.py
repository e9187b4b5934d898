"""What must be said of the mistakes that several functions share.

Each is a pair: the words in Spanish and in English, regular expressions that
must all be found in the report. Other words of the same meaning are allowed.
"""
# ---- the frame of zeros ----
UNPADDED = ([r"rellen|marco|pad\b", r"sin |no |falta|en vez|en lugar|olvid"],
            [r"\bpad|frame", r"without|not\b|unpadded|missing|instead|never"
                             r"|forg|no "])
NOT_ZEROS = ([r"rellen|marco|borde", r"ceros?\b|\b0\b|unos\b|repit|copi"],
             [r"pad|frame|border", r"zeros?\b|\b0\b|ones\b|repeat|cop[iy]"])
PAD_IS_0 = ([r"pad\b|rellen|marco", r"\b0\b|cero|vací"],
            [r"\bpad", r"\b0\b|zero|empty"])
PAD_ALL_AXES = ([r"rellen|marco|pad\b", r"ejes|canales|lote|imágenes|lados"],
                [r"\bpad|frame", r"ax[ei]s|channels|batch|images|sides"])
ONE_SIDE = ([r"rellen|marco|pad\b|ceros|2 ?(·|\*|p)|tamaño",
             r"lado|dos veces|una (sola )?vez|solo|sólo|2 ?\*? ?pad|2 ?p\b"],
            [r"\bpad|frame|zeros|2 ?\*? ?p|size",
             r"side|twice|once|only|both|2 ?\*? ?pad|2 ?p\b"])
PAD_STRIDE = ([r"pad\b|rellen", r"stride|paso|zancada",
               r"intercambi|cambiad|confund|en vez|en lugar|revés|cruzad"],
              [r"\bpad", r"strid", r"exchang|swap|mixed|instead|interchang"
                                   r"|confus|other way"])

# ---- the window and its way ----
STRIDE_IGNORED = ([r"stride|paso|zancada|salto",
                   r"no |sin |falta|ignora|olvid|siempre|uno en uno|mayor"
                   r"|> ?1|\b1\b"],
                  [r"strid", r"not|without|missing|ignor|forg|always|never"
                             r"|above|larger|greater|more|> ?1|\b1\b"])
STRIDE_TWICE = ([r"stride|paso|zancada|salto", r"dos veces|doble|otra vez"
                 r"|además|mayor|> ?1|divid|salta|range"],
                [r"strid", r"twice|double|again|also|above|larger|greater"
                           r"|> ?1|divid|skip|range"])
END_AT_STRIDE = ([r"stride|paso|zancada", r"ventana|termina|acaba|final?\b"
                  r"|mide|tamaño|ancho|alto"],
                 [r"strid", r"window|end|size|wide|high|slice"])
WHOLE_IMAGE = ([r"ventana|trozo|recort|porción",
                r"toda|enter[ao]|complet[ao]"],
               [r"window|slice|patch", r"whole|entire|full|all of"])
ONE_CHANNEL = ([r"canal", r"un solo|sólo|solo|un[oa]?\b|únic|primer|mismo"],
               [r"channel", r"\bone\b|single|only|first|alone|same"])
ROWS_COLUMNS = ([r"fila|alto|altura|vertical|n_H|cuadrad",
                 r"column|ancho|anchura|horizontal|n_W|cuadrad"],
                [r"row|height|vertical|n_H|square",
                 r"column|width|horizontal|n_W|square"])
ROUNDED = ([r"redonde|techo|ceil|hacia arriba|piso|floor|trunc|hacia abajo"
            r"|suelo|parte entera|divisi"],
           [r"round|ceil|floor|down|integer part|up\b|divi"])
NO_PLUS_ONE = ([r"\+ ?1|el 1|uno|últim|una (fila|ventana|salida)|falta",
                r"\+ ?1|tamaño|salida|ventana|fila|valor|muestra"],
               [r"\+ ?1|the 1|one|last|missing",
                r"\+ ?1|size|output|window|row|value|sample"])
FLIPPED = ([r"volte|invert|gir|revés|refleja|flip"],
           [r"flip|revers|turn|rotat|mirror"])
NOT_FLIPPED = ([r"volte|invert|gira|revés|refleja|flip|correlaci"],
               [r"flip|revers|turn|rotat|mirror|correlation"])

# ---- loops, sums, what is returned ----
RETURN_IN_LOOP = ([r"return|devuel|devolv|devolu|sale\b|termina|sangr|indent",
                   r"bucle|primer|vuelta|dentro|for\b|iteraci"],
                  [r"return|ends|leaves|indent",
                   r"loop|first|inside|early|\bfor\b|iteration|too soon"])
ONE_IMAGE = ([r"imagen|imágenes|ejemplo|lote|\bm\b",
              r"primer|últim|sol[oa]\b|sólo|únic|mism|demás|restantes|varias"
              r"|m >|más de una"],
             [r"image|example|batch|\bm\b",
              r"first|last|only|same|others?\b|several|m >|more than one"])
ONE_FILTER = ([r"filtro|kernel|núcleo|canal", r"primer|últim|sol[oa]\b|sólo"
               r"|únic|mism|demás"],
              [r"filter|kernel|channel", r"first|last|only|same|others?\b"])
NOT_ADDED = ([r"\+=|acumul|sum|solap|añad|sobrescrib|reemplaz|sustituy",
              r"\+=|\b=|solap|últim|en vez|en lugar|sobrescrib|reemplaz"
              r"|falta|no |sin "],
             [r"\+=|accumul|add|sum|overlap|overwrit|replac",
              r"\+=|\b=|overlap|last|instead|overwrit|replac|not|missing"])
BIAS_MISSING = ([r"sesgo|bias|\bb\b", r"falta|no |sin |olvid|nunca"],
                [r"bias|\bb\b", r"missing|not|without|forg|never|no "])
BIAS_REPEATED = ([r"sesgo|bias|\bb\b", r"veces|cada|repet|más de una|varias"
                  r"|dentro|una sola vez"],
                 [r"bias|\bb\b", r"times|each|every|repeat|more than once"
                                 r"|several|inside|once"])
RELU_INSIDE = ([r"relu|negativ"], [r"relu|negativ"])
INTEGERS = ([r"enter[oa]s?|int\b|decimal|trunc|dtype|fracci|float16|precis"
             r"|redonde"],
            [r"integer|int\b|decimal|trunc|dtype|fraction|float16|precis"
             r"|round"])
HALF_FLOATS = ([r"float16|precisi|cifras|redonde|dtype"],
               [r"float16|precisi|digits|round|dtype"])
NOTHING_RETURNED = ([r"devuel|devolv|return|None"], [r"return|None"])
FEWER_RETURNED = ([r"devuel|devolv|return|tupla|cosas|valores|cache|caché",
                   r"\b\d\b|dos|tres|una|falta|sol[oa]|sólo|cache|caché"],
                  [r"return|tuple|things|values|cache",
                   r"\b\d\b|two|three|\bone\b|missing|only|cache"])
NOT_WRITTEN = ([r"escri|program|complet|pendiente|implement|hecha|terminada",
                r"aún|todavía|sin |no |falta|pendiente"],
               [r"writ|program|complet|pending|implement|done|finished",
                r"yet|still|not|missing|pending|unfinished"])
INPUT_CHANGED = ([r"cambia|modific|altera", r"entrada|argument|dato|recibe"
                  r"|\bX\b|A_prev|dA\b|\bZ\b|dict|cache|par[aá]m|hparam|W"],
                 [r"chang|modif|alter", r"input|argument|given|receives"
                  r"|\bX\b|A_prev|dA\b|\bZ\b|dict|cache|param|hparam|W"])
CHANNELS_FIRST = ([r"canal", r"primer|delante|orden|antes|últim|segundo"
                   r"|eje|NCHW"],
                  [r"channel", r"first|order|before|last|second|axis|NCHW"])
SHAPE_NUMBER = ([r"\(1, 1, 1\)|número|escalar|forma"],
                [r"\(1, 1, 1\)|number|scalar|shape"])
AXIS_ERROR = ([r"índice|posición|IndexError|fuera|se sale|eje|bucle|tamaño"],
              [r"index|position|out of|outside|axis|loop|size"])
FLOAT_OF_ARRAY = ([r"float|NumPy|escalar|número", r"b\[0, ?0, ?0|\bb\b|item"
                   r"|elemento|array|arreglo|formación|matriz"],
                  [r"float|NumPy|scalar|number", r"b\[0, ?0, ?0|\bb\b|item"
                   r"|element|array"])
NP_FLOAT = ([r"np\.(float|int|bool)|float64|\bfloat\b|NumPy"],
            [r"np\.(float|int|bool)|float64|\bfloat\b|NumPy"])


def unknown(name):
    "A name that is defined nowhere: a slip of the pen, say."
    return ([r"nombre|defin|NameError|existe|escrit|variable", name],
            [r"name|defin|NameError|exist|spel|variable", name])


# ---- pooling and its masks ----
CHANNELS_MIXED = ([r"canal", r"tod[oa]s|mezcl|junt|entre|cada|separad|por "],
                  [r"channel", r"all|mix|together|across|each|separate|per"])
MODE_IGNORED = ([r"modo|mode\b|average|promedi|médi|media\b|máxim|max",
                 r"ignora|siempre|ambos|otro|intercambi|sin |no |falta"
                 r"|en vez|en lugar|average|promedi|media\b"],
                [r"mode|average|mean|maxim|max",
                 r"ignor|always|both|other|exchang|swap|not|missing|instead"
                 r"|average|mean"])
DIVISOR = ([r"divid|entre|promedi|médi|media\b|sum|área|denominador"],
           [r"divid|averag|mean|sum|area|denominator"])
SUM_FOR_PRODUCT = ([r"n_H ?\+ ?n_W|suma|más", r"divid|entre|n_H|producto"],
                   [r"n_H ?\+ ?n_W|sum|plus|add", r"divid|n_H|product"])
TIES = ([r"empat|repetid|iguales|varios máximos|coincid|todas las celdas"],
        [r"\btie|repeated|equal|several maxima|all the cells"])
MASK_OF_VALUES = ([r"máscara|mask|boolean|verdadero|True",
                   r"valor|máxim|número|boolean|True|dtype"],
                  [r"mask|boolean|True", r"value|maxim|number|boolean|True"
                                         r"|dtype"])
MASK_TIMES_ACTIVATION = ([r"activaci|ventana|valor|entrada|A_prev",
                          r"gradiente|\bdA\b|máscara|multiplic"],
                         [r"activation|window|value|input|A_prev",
                          r"gradient|\bdA\b|mask|multipl"])
