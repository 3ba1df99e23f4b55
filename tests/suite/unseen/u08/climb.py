import sys

import hill

values = [int(each) for each in sys.argv[1:]] or [int(line) for line in open("heights.txt")]
print(hill.climb(values))
