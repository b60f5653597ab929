// Boost.JSON's parser as a static library of our own: Debian's is shared.
#include <boost/json/src.hpp>
