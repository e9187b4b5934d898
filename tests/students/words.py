"""What must be said of the mistakes that several functions share.

Each is a pair: the words in Spanish and in English, regular expressions that
must all be found in the report. Other words of the same meaning are allowed,
the sentence of another mistake is not.
"""
# ---- the frame of zeros ----
UNPADDED = (
    [r"sin (el )?(rellen|marco)|no (se )?rellen|falta (el )?(relleno|marco)"
     r"|ignora (el )?(relleno|pad)|A_prev (y no|en vez|sin)|nunca.*rellen"
     r"|no.*A_prev_pad|olvid\w* (el )?rell"],
    [r"unpadded|not padded|without (the )?(padding|frame)|never padded"
     r"|padding is (missing|ignored|not)|ignor\w* (the )?pad|no padding"
     r"|missing (padding|frame)|not A_prev_pad|A_prev (is|instead)"])
ONES = ([r"rellen|marco|borde", r"\bunos\b|no (son|es|está).*cero|≠ 0"
         r"|en vez de ceros|distint\w+ de (0|cero)"],
        [r"pad|frame|border", r"\bones\b|not (of |made of )?zero|≠ 0"
         r"|instead of zero|other than (0|zero)"])
EDGES = ([r"rellen|marco|borde", r"repit|repet|copi|replic|refleja|espejo"
          r"|no (son|es|está).*cero|en vez de ceros|distint\w+ de (0|cero)"
          r"|del borde"],
         [r"pad|frame|border", r"repeat|cop(y|ie)|replic|reflect|mirror|edge"
          r"|not (of |made of )?zero|instead of zero|other than (0|zero)"])
PAD_IS_0 = ([r"\bpad\b|rellen", r"\b0\b|es cero|vací"],
            [r"\bpad", r"\b0\b|is zero|empty"])
PAD_ALL_AXES = ([r"rellen|marco|pad\b", r"lote|imágenes|canales|cuatro ejes"
                 r"|todos los ejes"],
                [r"\bpad|frame", r"batch|images|channels|four axes"
                                 r"|(all|every) ax[ei]s"])
ONE_SIDE = ([r"rellen|marco|pad\b|ceros|2 ?(·|\*|p)|tamaño",
             r"lado|extremo|dos veces|una (sola )?vez|2 ?[·*]? ?pad|2 ?p\b"],
            [r"\bpad|frame|zeros|2 ?\*? ?p|size",
             r"side|\bend\b|twice|once|2 ?[·*]? ?pad|2 ?p\b|both"])
PAD_STRIDE = ([r"\bpad\b|rellen", r"stride|paso|zancada",
               r"intercambi|cambiad|confund|en vez|en lugar|revés|cruzad"],
              [r"\bpad", r"strid", r"exchang|swap|mixed|instead|interchang"
                                   r"|confus|other way"])

# ---- the window and its way ----
STRIDE_IGNORED = ([r"stride|paso|zancada|salto",
                   r"no (se )?(usa|tien|multiplic|avanz|mueve)|sin |falta"
                   r"|ignora|olvid|no cuenta|siempre (es|vale|se)|uno en uno"],
                  [r"strid", r"not (used|multipl|moved)|without|missing"
                             r"|ignor|forg|leaves out|is always|never"])
STRIDE_TWICE = ([r"stride|paso|zancada|salto", r"dos veces|doble|otra vez"
                 r"|range"],
                [r"strid", r"twice|double|again|range"])
END_AT_STRIDE = ([r"stride|paso|zancada", r"ventana|termina|acaba|mide"
                  r"|tamaño|ancho|alto"],
                 [r"strid", r"window|ends?\b|size|wide|high|slice"])
WHOLE_IMAGE = ([r"ventana|trozo|recort|porción",
                r"toda la|enter[ao]|complet[ao]"],
               [r"window|slice|patch", r"whole|entire|full|all of"])
ONE_CHANNEL = ([r"un solo canal|solo (el|un|primer|en el)|único canal"
                r"|canal c\b|primer canal|mismo canal|canal 0"
                r"|canales son el primero"],
               [r"(one|single|first|same) channel|only (the|one|a) "
                r"|channel (c|0)\b|channel alone|channel is that of"])
ROWS_COLUMNS = ([r"fila|alto\b|altura|vertical",
                 r"column|ancho\b|anchura|horizontal"],
                [r"row|height|vertical", r"column|width|horizontal"])
SQUARE = ([r"cuadrad|n_H ?(≠|!=)|(alto|altura) y (el |la )?anch|distint\w+ "
           r"(el )?alto|más (alt|anch)|filas que columnas"
           r"|alto.* con el ancho"],
          [r"square|n_H ?(≠|!=)|height and (the )?width|(taller|wider) than"
           r"|rows than columns|height.* from the width"])
ROUNDED_UP = ([r"arriba|techo|ceil|divisible|exact|cabe|sobra"],
              [r"round\w* up|ceil|divisible|exact|does not fit|left over"])
NO_PLUS_ONE = ([r"\+ ?1\b|sumar (un[oa]|1)|(la|una|de) últim"
                r"|un[ao] \w* ?(menos|de menos)"
                r"|demasiado (cort|pequeñ)|falta (la|una) (fila|ventana|sal)"],
               [r"\+ ?1\b|(one|1) has to be added"
                r"|the last (row|window|output|value|sample)"
                r"|one \w* ?(too few|less|missing|short|fewer)"
                r"|too (short|small)"])
FLIPPED = ([r"volte|invert|gira|revés|refleja|flip"],
           [r"flip|revers|turn|rotat|mirror"])
NOT_FLIPPED = ([r"no (se )?(volte|invi?ert|gira|refleja)|correlaci"
                r"|(sin|falta) (volt|invert|girar)"],
               [r"not (flipped|reversed|turned|rotated|mirrored)"
                r"|without (flip|revers)|correlation|missing flip"])

# ---- loops, sums, what is returned ----
RETURN_IN_LOOP = ([r"return|devuel|devolv|devolu|sale\b|termina|sangr",
                   r"bucle|primera? (vuelta|imagen|iter)|dentro|for\b"],
                  [r"return|ends|leaves|indent",
                   r"loop|first (turn|image|iter)|inside|\bfor\b|too soon"])
FIRST_IMAGE = ([r"imagen|imágenes|ejemplo|lote",
                r"(?s)^(?!.*queda).*(primer|mism)"],
               [r"image|example|batch",
                r"(?s)^(?!.*stays).*(first|same)"])
LAST_IMAGE = ([r"imagen|imágenes|ejemplo|lote",
               r"últim|una sola|únic|demás"],
              [r"image|example|batch", r"last|only one|others?\b"])
ONE_FILTER = ([r"primer (filtro|canal|núcleo)|(solo|mismo|único) (filtro|nú)"
               r"|filtro 0|demás filtros"],
              [r"(first|only one|single|same) (filter|kernel|channel)"
               r"|other filters|filter 0"])
NOT_ADDED = ([r"\+=|acumul|solap|sobrescrib|reemplaz|no se suma"],
             [r"\+=|accumul|overlap|overwrit|replac|not (added|summed)"])
BIAS_MISSING = ([r"sesgo|bias|`b`", r"falta|no (se )?(sum|us|añad)|sin "
                 r"|olvid|nunca"],
                [r"bias|`b`", r"missing|not (added|used)|without|forg"
                                r"|never|no bias"])
BIAS_REPEATED = ([r"sesgo|bias", r"veces|cada (producto|peso|cel|elem|valor)"
                  r"|repet|más de una vez|dentro de la suma"],
                 [r"bias", r"times|(each|every) (product|weight|cell|elem"
                  r"|value)|repeat|more than once|inside the sum"])
RELU_INSIDE = ([r"relu|negativ"], [r"relu|negativ"])
INTEGERS = ([r"(?s)^(?!.*un entero).*(enter[oa]s?\b|decimal|trunca|fracci"
             r"|mitades|parte entera)"],
            [r"(?s)^(?!.*an integer is).*((?<!only )integers?\b|decimal"
             r"|truncat|fraction|halves|whole number)"])
HALF_FLOATS = ([r"float16|precisi|cifras|redonde|dtype"],
               [r"float16|precisi|digits|round|dtype"])
NOTHING_RETURNED = ([r"(falta|sin) (devolver|(el |un )?return)|nada"
                     r"|no (se )?(devuelve|ha devuelto)|devuelve None"],
                    [r"not returned|nothing|(missing|no|without) .*return"
                     r"|return\w* (is )?(missing|None)"])
FEWER_RETURNED = ([r"devuel|devolv|return|tupla|cosas",
                   r"\b[234]\b|\bdos|\btres|cach"],
                  [r"return|tuple|things", r"\b[234]\b|two|three|cache"])
NOT_WRITTEN = ([r"escri|program|complet|pendiente|implementad|hecha|terminada",
                r"aún|todavía|sin |no |falta|pendiente"],
               [r"writ|program|complet|pending|(?<!Not)implemented|finished",
                r"yet|still|not|missing|pending|unfinished"])
INPUT_CHANGED = ([r"cambia|modific|altera", r"entrada|argument|recibe|`\w+`"
                  r"|A_prev|dict|cache|par[aá]metros"],
                 [r"chang|modif|alter", r"input|argument|given|receives"
                  r"|`\w+`|A_prev|dict|cache|parameters"])
CHANNELS_FIRST = ([r"canales.*(primero|delante|antes|segundo)|NCHW"
                   r"|orden.*canales"],
                  [r"channels.*(first|before|second)|NCHW"
                   r"|order.*channels"])
SHAPE_NUMBER = ([r"\(1, 1, 1\)|número|escalar"],
                [r"\(1, 1, 1\)|number|scalar"])
AXIS_ERROR = ([r"índice|posición|IndexError|fuera|se sale"],
              [r"index|position|out of|outside"])
FLOAT_OF_ARRAY = ([r"b\[0, ?0, ?0|\.item|float\((b|sesgo)|float\(.*un "
                   r"(solo )?(número|elemento)"],
                  [r"b\[0, ?0, ?0|\.item|float\((b|bias)|float\(.*single"])
FLOAT_SIZES = ([r"float|decimal|enter[oa]", r"range|tamaño|forma|dimensi|int"
                r"|//|índice"],
               [r"float|decimal|integer", r"range|size|shape|dimension|int"
                                          r"|//|index"])
TRUTH = ([r"verdad|if\b|and\b|compar|any|array|cada (elemento|valor)"
          r"|elemento a|ambig"],
         [r"truth|if\b|and\b|compar|any|array|each (element|value)|element"
          r"|ambig"])


def np_alias(name):
    "`np.float`, which is no more."
    return [rf"np\.{name}|'{name}'"], [rf"np\.{name}|'{name}'"]


def unknown(name):
    "A name that is defined nowhere: a slip of the pen, say."
    return ([r"nombre|defin|NameError|existe|escrit|variable|clave|KeyError",
             name],
            [r"name|defin|NameError|exist|spel|variable|key|KeyError", name])


# ---- pooling and its masks ----
CHANNELS_MIXED = ([r"canal", r"tod[oa]s|mezcl|junt|cada canal|separad"],
                  [r"channel", r"\ball\b|mix|together|across|each|separate"])
ALWAYS_MAX = ([r"máxim", r"siempre|ignora|sea cual sea"
               r"|(modo|mode).*average|average.*modo"],
              [r"maxim", r"always|ignor|whatever"
               r"|mode.*average|average.*mode"])
ALWAYS_AVERAGE = ([r"promedi|media\b|average", r"siempre|ignora"
                   r"|sea cual sea|(modo|mode).*max|max.*modo"],
                  [r"averag|mean", r"always|ignor|whatever"
                                        r"|mode.*max|max.*mode"])
NO_AVERAGE = ([r"(?s)^(?!.*(cambiad|siempre (el|se)|en vez)).*"
               r"(average|promedi|todo (es|vale) 0|nunca se guarda)"],
              [r"(?s)^(?!.*(exchang|swap|is always|it always|instead))"
               r".*(averag|everything is 0|never stored)"])
MODES_EXCHANGED = ([r"intercambi|cambiad|revés|confund"],
                   [r"exchang|swap|other way|confus|mixed"])
NOT_DIVIDED = ([r"(suma|total) (en vez|en lugar)|no se (divid|repart)"
                r"|(falta|sin) divid|multiplic\w* por f"
                r"|en vez de (promediar|la media|el promed)|sin dividirse"],
               [r"(adds?|sums?|sum|total) instead|not (divided|shared|spread)"
                r"|(without|missing) (being )?divid|multiplied by f"
                r"|instead of (the )?(averag|mean)"])
WRONG_DIVISOR = ([r"(divid|repart)\w* (entre|por|como)|f ?(\*|·|×|\^) ?|f²"
                  r"|área|número de celdas|en vez de f|multiplic\w* por f"],
                 [r"(divid|shared?)\w* (by|as|among)|f ?(\*|·|×|\^) ?|f²"
                  r"|area|number of cells|instead of f|multiplied by f"])
SUM_FOR_PRODUCT = ([r"n_H ?\+ ?n_W|f ?\+ ?f|2 ?f\b|\bsuma\b.*producto"
                    r"|producto.*\bsuma\b|divid\w* entre la suma"],
                   [r"n_H ?\+ ?n_W|f ?\+ ?f|2 ?f\b|\bsum\b.*product"
                    r"|product.*\bsum\b|divid\w* by the sum"])
TIES = ([r"empat|repetid|iguales|varios máximos", r"tod|cada|varias|más de un"
         r"|veces|empates"],
        [r"\btie|repeated|equal|several maxima", r"every|\ball\b|each|several"
         r"|more than one|times|\bties"])
MASK_OF_VALUES = ([r"(es|vale|contiene|guarda|devuelve|lleva) (el|los) "
                   r"(valor|máxim|número)|(máximo mismo|(mismo|propio) máximo)"
                   r"|boolean|verdadero|True|dtype"],
                  [r"(is|holds?|contains?|returns?) the (value|maxim|number)"
                   r"|maximum itself|boolean|True|dtype"])
MASK_TIMES_ACTIVATION = ([r"activaci|(por|con) la ventana|A_prev|valor"
                          r"|entrada",
                          r"gradiente|(?-i:\bdA\b)|máscara|multiplic"],
                         [r"activation|by the window|A_prev|value|input",
                          r"gradient|(?-i:\bdA\b)|mask|multipl"])
